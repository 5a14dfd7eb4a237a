"""what to do about an alert is stored with it"""

from alembic import op
import sqlalchemy as sa
revision = '0017'
down_revision = '0016'


def upgrade():
    """An upgrade that was killed may have added the column already."""
    columns = sa.inspect(op.get_bind()).get_columns('alert')
    if 'cure' not in {column['name'] for column in columns}:
        op.add_column('alert', sa.Column('cure', sa.Text(), nullable=True))


def downgrade():
    op.drop_column('alert', 'cure')
