"""exports that several jobs write, one after another"""
from alembic import op
import sqlalchemy as sa
from myukm.db.migration_steps import add_column, drop_column

revision = '0036'
down_revision = '0035'


def upgrade():
    """Skips the steps that a killed upgrade has already done."""
    add_column('export', sa.Column('place', sa.Text(), nullable=True))
    add_column('export', sa.Column('turn', sa.Integer(), server_default='0', nullable=False))


def downgrade():
    drop_column('export', 'turn')
    drop_column('export', 'place')
