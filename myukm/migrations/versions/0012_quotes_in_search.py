"""search texts without any kind of apostrophe and quote: 0016 writes them"""

revision = '0012'
down_revision = '0011'


def upgrade():
    """Nothing."""


def downgrade():
    """Nothing."""
