"""One round of the harness: people send files while processes are killed.

python -m tests.faults.upload_round [--seed 7] [--uploads 200]
"""

import random
import sys
import threading
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

from flask import Flask
from sqlalchemy import select

from myukm.domain.files import cleanup
from myukm.domain.files.contents import digest_of
from myukm.extensions import db
from myukm.models import ChatFile, ChatMessage
from myukm.storage import storage
from tests.faults import faults, one_round
from tests.faults.campus import Campus
from tests.faults.chat_round import ACCOUNTS_PER_SENDER, CODES, SENDERS, populate
from tests.faults.uploaders import Uploader
from tests.support.files import left_behind, stored_names

FAULTS = (
    faults.kill_one_worker_process,
    faults.kill_all_workers,
    faults.kill_web,
    faults.kill_web,
    faults.restart_valkey,
    faults.lose_valkey,
)


def play(campus: Campus, rng: random.Random, uploads: int) -> list[str]:
    """Let people send `uploads` files under faults; return the promises that were broken."""
    accounts = populate(campus)
    uploaders = [
        Uploader(
            campus.url,
            f"u{n}",
            accounts[n * ACCOUNTS_PER_SENDER : (n + 1) * ACCOUNTS_PER_SENDER],
            CODES,
            uploads // SENDERS,
        )
        for n in range(SENDERS)
    ]
    for uploader in uploaders:
        uploader.start()
    ended = threading.Event()
    while any(uploader.is_alive() for uploader in uploaders):
        ended.wait(rng.uniform(0.3, 2.0))
        fault = rng.choice(FAULTS)
        print(fault.__name__, flush=True)
        try:
            fault(campus, rng, ended)
        except AssertionError as error:
            return [f"{fault.__name__}: {error}"]
    broken = [problem for uploader in uploaders for problem in uploader.problems]
    with campus.app.app_context():
        broken += check(campus.app, campus.folder / "files", uploaders)
    return broken


def check(app: Flask, folder: Path, uploaders: list[Uploader]) -> list[str]:
    """Return the broken promises: each sent message has its file, and no other file remains."""
    sent = {key: digest for each in uploaders for key, digest in each.sent.items()}
    delete_unsent()
    query = select(ChatMessage, ChatFile).outerjoin(ChatFile).where(ChatMessage.file_count > 0)
    found: dict[str, str] = {}
    broken = []
    for message, file in db.session.execute(query):
        if file is None or file.stored_at is None:
            broken.append(f"message {message.client_id} has no file")
        elif message.client_id in found:
            broken.append(f"message {message.client_id} is there twice, or has two files")
        else:
            found[message.client_id] = file.digest
    if found != sent:
        broken.append(f"{len(sent)} sent, {len(found)} stored: {sorted(found ^ sent.keys())[:9]}")
    names = stored_names(folder)
    broken += [
        f"the bytes of {key} are not there" for key, name in found.items() if name not in names
    ]
    broken += [f"{name} has other bytes" for name in names if stored_digest(name) != name]
    if extra := names - set(found.values()):
        broken.append(f"{len(extra)} files without a message")
    if drafts := left_behind(folder):
        broken.append(f"left behind: {drafts[:9]}")
    print(f"{len(found)} messages with files, {len(names)} stored", flush=True)
    return broken


def stored_digest(name: str) -> str:
    """Return the SHA-256 of stored bytes."""
    with storage().open(name) as file:
        return digest_of(Path(file.name))


def delete_unsent() -> None:
    """Delete all files without a message, as the leader does when they are a day old."""
    with patch.multiple(cleanup, UNSENT_FOR=timedelta(0), ORPHAN_SECONDS=-1.0, DRAFT_SECONDS=-1.0):
        while cleanup.prune_unsent():
            pass
        for shard in cleanup.SHARDS:
            cleanup.sweep(shard)


if __name__ == "__main__":
    sys.exit(one_round.main(__doc__, play, uploads=200))
