"""what people and their chat need beyond the first tables; tags of the payment API"""

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import mysql
import myukm.database
revision = '0002'
down_revision = '0001'


def upgrade():
    with op.batch_alter_table('siswa', schema=None) as batch_op:
        batch_op.add_column(sa.Column('etag', sa.String(length=200).with_variant(mysql.VARCHAR(collation='utf8mb4_bin', length=200), 'mysql'), nullable=True))
        batch_op.add_column(sa.Column('etag_at', myukm.database.UTCDateTime(), nullable=True))


def downgrade():
    with op.batch_alter_table('siswa', schema=None) as batch_op:
        batch_op.drop_column('etag_at')
        batch_op.drop_column('etag')
