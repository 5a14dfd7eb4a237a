"""log-in tokens as digests, codes keyed with SECRET_KEY, join codes that differ from the UKM's code

Nobody is logged out and open codes stay valid, because what is stored is replaced by the digest
that the program compares from now on. Invitations older than 30 days have expired nevertheless.
"""

import myukm.db.types

import base64
import hashlib
import hmac
import secrets

from alembic import op
from flask import current_app
import sqlalchemy as sa
revision = '0005'
down_revision = '0003'

BATCH = 500
SHA256_LENGTH = 64  # in hexadecimal; tokens and keyed digests of codes are shorter
SIGNS = 'ABCDEFGHJKMNPQRSTUVWXYZ23456789'

SESSION = sa.table('login_session', sa.column('token'))
UKM = sa.table('ukm', sa.column('id'), sa.column('code'), sa.column('join_code'))
UKM_LOG = sa.table(
    'ukm_log',
    sa.column('ukm_id'), sa.column('at', myukm.db.types.UTCDateTime()), sa.column('action'), sa.column('detail'),
)
AUDIT = sa.table(
    'audit',
    sa.column('at', myukm.db.types.UTCDateTime()), sa.column('actor'), sa.column('action'), sa.column('subject'),
)


def upgrade():
    replace(SESSION.c.token, sa.func.length(SESSION.c.token) < SHA256_LENGTH, digest)
    for name in ('invitation', 'password_reset'):
        column = sa.table(name, sa.column('code_hash')).c.code_hash
        replace(column, sa.func.length(column) == SHA256_LENGTH, keyed)
    renew_join_codes()


def replace(column, is_old, renewed):
    """Store `renewed(value)` for each old value of a column, a portion at a time."""
    old = sa.select(column).where(is_old).limit(BATCH)
    new = column.table.update().where(column == sa.bindparam('old')).values({column: sa.bindparam('new')})
    while values := op.get_bind().scalars(old).all():
        op.get_bind().execute(new, [{'old': value, 'new': renewed(value)} for value in values])


def digest(token):
    return hashlib.sha256(token.encode()).hexdigest()


def keyed(code_hash):
    key = current_app.config['SECRET_KEY'].encode()
    return base64.urlsafe_b64encode(hmac.digest(key, b'one-time code:' + code_hash.encode(), 'sha256')).decode()


def renew_join_codes():
    """Replace join codes that equal the UKM's code, because its address shows that code to everybody.
    The UKM's log tells its admins of the new code."""
    guessable = sa.select(UKM.c.id, UKM.c.code).where(UKM.c.join_code == UKM.c.code).limit(BATCH)
    while units := op.get_bind().execute(guessable).all():
        now = myukm.db.types.utcnow()
        for id, code in units:
            op.execute(UKM.update().where(UKM.c.id == id).values(join_code=join_code()))
            op.execute(UKM_LOG.insert().values(ukm_id=id, at=now, action='code_replaced', detail=''))
            op.execute(AUDIT.insert().values(at=now, actor='flask db upgrade', action='ukm.code', subject=code))


def join_code():
    return '-'.join(''.join(secrets.choice(SIGNS) for _ in range(4)) for _ in range(2))


def downgrade():
    """Nothing, because digests cannot be reversed: people log in again, codes are issued again."""
