"""search texts without any kind of apostrophe: 0016 writes them"""

revision = '0008'
down_revision = '0004'


def upgrade():
    """Nothing."""


def downgrade():
    """Nothing."""
