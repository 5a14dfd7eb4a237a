"""exports that several jobs write, one after another"""
from alembic import op
import sqlalchemy as sa

revision = '0036'
down_revision = '0035'


def upgrade():
    """Each step asks first what an upgrade that was killed has done already."""
    there = {column['name'] for column in sa.inspect(op.get_bind()).get_columns('export')}
    if 'place' not in there:
        op.add_column('export', sa.Column('place', sa.Text(), nullable=True))
    if 'turn' not in there:
        op.add_column('export', sa.Column('turn', sa.Integer(), server_default='0', nullable=False))


def downgrade():
    op.drop_column('export', 'turn')
    op.drop_column('export', 'place')
