"""One round of the harness: a UKM is exported as a ZIP archive while its jobs are killed.

python -m tests.faults.export_round [--seed 7] [--messages 30000]
"""

import hashlib
import io
import json
import random
import sys
import zipfile

import requests
from sqlalchemy import func, insert, select, update

from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.domain.exports import store
from myukm.extensions import db
from myukm.models import ChatMessage, Export, ExportPart, Membership, Ukm
from myukm.models.export import OPEN_EXPORTS, ExportState
from tests.faults import one_round
from tests.faults.campus import Campus
from tests.support.files import PDF
from tests.support.people import UKM
from tests.support.waiting import wait_until

FILES, KILLS = 6, store.MAX_LOSSES - 1


def play(campus: Campus, rng: random.Random, messages: int) -> list[str]:
    """Export a UKM and kill as many jobs as an export survives; return the broken promises."""
    temporary = campus.folder / "temporary"
    temporary.mkdir()
    campus.env["TMPDIR"] = str(temporary)
    campus.worker.kill()
    session = campus.log_in("member")
    digests = fill(campus, session, messages)
    campus.start_worker()
    accepted = session.post(f"{campus.url}/ukm/{UKM}/export", json={}, timeout=30)
    assert accepted.status_code == 202, accepted.text
    with campus.app.app_context():
        for losses in range(1, KILLS + 1):
            kill_workers_during_export(campus, rng, losses)
        wait_until(lambda: current().state not in OPEN_EXPORTS, 120, "the export ends")
        broken = wrong_rows()
    archive = session.get(f"{campus.url}{accepted.json()['url']}", timeout=60)
    broken += wrong_contents(archive.content, messages, digests)
    if files := list(temporary.iterdir()):
        broken.append(f"temporary files left: {files[:9]}")
    return broken


def fill(campus: Campus, session: requests.Session, messages: int) -> set[str]:
    """Store `messages` texts and send `FILES` files; return the digests of the files."""
    with campus.app.app_context(), transaction() as changing:
        ukm_id = changing.scalars(select(Ukm.id).where(Ukm.code == UKM)).one()
        author = campus.people["member"]
        mine = update(Membership).where(Membership.user_id == author, Membership.ukm_id == ukm_id)
        changing.execute(mine.values(is_admin=True))
        row = {"ukm_id": ukm_id, "user_id": author, "published_at": utcnow()}
        texts = (
            {"client_id": f"m{n}", "number": n, "body": f"pesan {n} " + "kata " * (n % 40)}
            for n in range(1, messages + 1)
        )
        changing.execute(insert(ChatMessage), [row | text for text in texts])
        changing.execute(update(Ukm).where(Ukm.id == ukm_id).values(last_number=messages))
    return {send_file(campus, session, n) for n in range(FILES)}


def send_file(campus: Campus, session: requests.Session, number: int) -> str:
    """Send a file in a message and return the digest of its bytes."""
    data = PDF + random.Random(number).randbytes(1_000_000)
    base, key = f"{campus.url}/ukm/{UKM}", f"f{number}"
    form = {"file": ("nota.pdf", data, "application/pdf")}
    file = session.post(f"{base}/files", data={"client_id": key}, files=form, timeout=30)
    message = {"message": "", "client_id": key, "files": [file.json()["id"]]}
    sent = session.post(f"{base}/messages", json=message, timeout=30)
    assert sent.status_code == 201, sent.text
    return hashlib.sha256(data).hexdigest()


def kill_workers_during_export(campus: Campus, rng: random.Random, losses: int) -> None:
    """Kill -9 all workers once a random share of the archive is written, and start new ones."""
    written = rng.uniform(0, 0.6)

    def far_enough() -> bool:
        export = current()
        assert export.state in OPEN_EXPORTS, f"ended before kill {losses}"
        return bool(export.holder) and export.losses == losses - 1 and share(export) >= written

    wait_until(far_enough, 120, f"a job has written {written:.0%} of the archive")
    campus.worker.kill()
    print(f"killed at {share(current()):.0%}", flush=True)
    campus.start_worker()
    wait_until(lambda: current().losses == losses, 120, "the watchdog counts the loss of the job")


def share(export: Export) -> float:
    """Return how much of an export is written."""
    return export.done / export.total


def current() -> Export:
    """Return the export as it is now."""
    db.session.rollback()
    return db.session.scalars(select(Export).execution_options(populate_existing=True)).one()


def wrong_rows() -> list[str]:
    """Return the broken promises about the export's rows."""
    export = current()
    parts, size = db.session.execute(
        select(func.count(), func.sum(func.length(ExportPart.data)))
    ).one()
    broken = []
    if (export.state, export.losses) != (ExportState.READY, KILLS):
        broken.append(f"{export.state} after {export.losses} losses: {export.reason}")
    if (parts, size) != (store.parts_of(export.size), export.size):
        broken.append(f"{parts} parts with {size} bytes for {export.size}")
    return broken


def wrong_contents(data: bytes, messages: int, digests: set[str]) -> list[str]:
    """Return which contents are missing from the archive, or in it twice."""
    archive = zipfile.ZipFile(io.BytesIO(data))
    names = archive.namelist()
    broken = [f"{name} has other bytes" for name in [archive.testzip()] if name]
    if len(names) != len(set(names)):
        broken.append("a name is there twice")
    pages = [name for name in names if name.startswith("messages/") and name.endswith(".json")]
    ids = [one["id"] for page in pages for one in json.loads(archive.read(page))]
    if (len(ids), len(set(ids))) != (messages + FILES,) * 2:
        broken.append(f"{len(ids)} messages, {len(set(ids))} different, of {messages + FILES}")
    found = [hashlib.sha256(archive.read(n)).hexdigest() for n in names if n.startswith("files/")]
    if sorted(found) != sorted(digests):
        broken.append(f"{len(found)} files of {len(digests)}, or with other bytes")
    return broken


if __name__ == "__main__":
    sys.exit(one_round.main(__doc__, play, messages=30_000))
