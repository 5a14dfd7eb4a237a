"""A checkout with an upstream, as `flask upgrade` needs it, and migrations to publish there."""

import subprocess
from pathlib import Path
from typing import NamedTuple

from myukm.db.versions import newest_migration

MIGRATION = """
from alembic import op
import sqlalchemy as sa
revision = '{number}'
down_revision = '{before}'


def upgrade():
    {step}


def downgrade():
    op.drop_table('trial')
"""
GOOD = "op.create_table('trial', sa.Column('id', sa.Integer(), primary_key=True))"


class Checkout(NamedTuple):
    """A clone with an upstream, a database and its environment."""

    folder: Path
    env: dict[str, str]

    def run(self, *argv: str, cwd: Path | None = None) -> tuple[int, str]:
        done = subprocess.run(
            argv, check=False, capture_output=True, text=True, env=self.env, cwd=cwd or self.folder
        )
        return done.returncode, done.stdout + done.stderr

    def git(self, *words: str, cwd: Path | None = None) -> str:
        status, said = self.run("git", *words, cwd=cwd)
        assert status == 0, said
        return said.strip()

    def publish(self, name: str, text: str) -> None:
        """Commit a file and push it; the checkout itself stays at the previous commit."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        self.git("add", name)
        self.git("commit", "--quiet", "-m", name)
        self.git("push", "--quiet")
        self.git("reset", "--hard", "--quiet", "HEAD~1")

    def begin(self, origin: Path) -> None:
        """Make the folder a repository with the upstream `origin`, which must not exist yet."""
        self.git("init", "--quiet", "--bare", str(origin), cwd=origin.parent)
        for words in (
            ("init", "--quiet", "--initial-branch", "main"),
            ("add", "."),
            ("commit", "--quiet", "-m", "first"),
            ("remote", "add", "origin", str(origin)),
            ("push", "--quiet", "--set-upstream", "origin", "main"),
        ):
            self.git(*words)

    def publish_migration(self) -> None:
        """Publish a migration that creates a table."""
        good = MIGRATION.format(number="9999", before=newest_migration(), step=GOOD)
        self.publish("myukm/migrations/versions/9999_trial.py", good)


AUTHOR = {
    f"GIT_{role}_{what}": "a@b.id" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
}
