"""search texts without any kind of apostrophe and quote, and with o for ø"""

from alembic import op
import sqlalchemy as sa
from myukm.models.siswa import SEARCHED, search_text
revision = '0012'
down_revision = '0011'

PORTION = 1000

siswa = sa.table(
    'siswa', sa.column('id'), sa.column('search_text'), *(sa.column(name) for name in SEARCHED)
)


def upgrade():
    """Update the few texts that differ after all were read, so that no lock is held while reading."""
    connection, last = op.get_bind(), 0
    query = sa.select(siswa).order_by(siswa.c.id).limit(PORTION)
    update = siswa.update().where(siswa.c.id == sa.bindparam('key'))
    stale = []
    while rows := connection.execute(query.where(siswa.c.id > last)).mappings().all():
        last = rows[-1]['id']
        texts = [{'key': row['id'], 'search_text': search_text(row)} for row in rows]
        stale += [new for new, row in zip(texts, rows) if new['search_text'] != row['search_text']]
    if stale:
        connection.execute(update, stale)


def downgrade():
    """Nothing, because the previous version finds students by these texts as well."""
