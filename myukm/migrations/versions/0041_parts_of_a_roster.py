"""parts of a roster over 64 KiB on MariaDB"""

from alembic import op
revision = '0041'
down_revision = '0040'


def upgrade():
    """The other databases have no such limit. A repetition changes nothing."""
    if op.get_bind().dialect.name == 'mysql':
        op.execute('ALTER TABLE roster_part MODIFY data MEDIUMBLOB NOT NULL')


def downgrade():
    """The column stays wide: the previous version works with it, and a narrow one would lose parts."""
