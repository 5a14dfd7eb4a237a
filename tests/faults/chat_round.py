"""One round of the harness: a busy chat with faults drawn at random.

python -m tests.faults.chat_round [--seed 7] [--seconds 60]
"""

import argparse
import random
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path

import requests
from sqlalchemy import select

from myukm.database import write
from myukm.extensions import db
from myukm.models import ChatMessage, Membership, Ukm, User
from tests.faults import faults
from tests.faults.campus import Campus
from tests.faults.chatters import Ear, Talker
from tests.support.people import token_for
from tests.support.waiting import wait_until

CODES = [f"CHAT{n}" for n in range(5)]
TALKERS, ACCOUNTS_EACH, EARS = 20, 8, 6
FAULTS = (
    faults.kill_one_worker_process,
    faults.kill_all_workers,
    faults.kill_web,
    faults.restart_valkey,
    faults.lose_valkey,
    faults.wipe_valkey,
    faults.kill_database,
)


def play(campus: Campus, draw: random.Random, seconds: float) -> list[str]:
    """Let people chat while faults come; return the promises that were broken."""
    accounts = populate(campus)
    talkers = [
        Talker(campus.url, f"t{n}", accounts[n * ACCOUNTS_EACH : (n + 1) * ACCOUNTS_EACH], CODES)
        for n in range(TALKERS)
    ]
    ears = [Ear(campus.url, session, CODES) for session in accounts[:EARS]]
    stranger = Ear(campus.url, campus.log_in("outsider"), CODES)
    for listener in (*ears, stranger):
        listener.start()
    wait_until(lambda: all(ear.opened.is_set() for ear in (*ears, stranger)), 30)
    for talker in talkers:
        talker.start()
    ended, until = threading.Event(), time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(draw.uniform(1, 4))
        fault = draw.choice(FAULTS)
        print(fault.__name__, flush=True)
        fault(campus, draw, ended)
    for talker in talkers:
        talker.stopped.set()
        talker.join(40)
    broken = check(campus, talkers, ears, stranger)
    for listener in (*ears, stranger):
        listener.stopped.set()
    return broken


def populate(campus: Campus) -> list[requests.Session]:
    """Make five UKMs and their members; return a session of each member."""
    with campus.app.app_context():
        with write() as session:
            units = [Ukm(code=code, join_code=code, name=code) for code in CODES]
            count = range(TALKERS * ACCOUNTS_EACH)
            users = [User(nim=f"c{n}", name=f"Warga {n}", password_hash="-") for n in count]
            session.add_all([*units, *users])
            session.flush()
            session.add_all(
                Membership(ukm_id=unit.id, user_id=user.id) for unit in units for user in users
            )
        tokens = [token_for(user.id) for user in users]
        signer = campus.app.session_interface.get_signing_serializer(campus.app)
    assert signer
    sessions = []
    for token in tokens:
        sessions.append(requests.Session())
        sessions[-1].cookies.set("myukm", str(signer.dumps({"_user_id": token, "_fresh": True})))
    return sessions


def check(campus: Campus, talkers: list[Talker], ears: list[Ear], stranger: Ear) -> list[str]:
    """Return what is wrong: each accepted message stored once and heard once, in order."""
    stored = by_code(campus)
    with suppress(AssertionError):
        wait_until(lambda: all(heard(ear) == stored for ear in ears), 15)
    accepted = {key: value for talker in talkers for key, value in talker.accepted.items()}
    broken = [refusal for talker in talkers for refusal in talker.refused]
    if sorted(accepted) != sorted(key for ids in stored.values() for key in ids):
        broken.append(f"{len(accepted)} accepted, {sum(map(len, stored.values()))} stored")
    for number, ear in enumerate(ears):
        for code in CODES:
            missing = set(stored[code]) - set(ear.heard[code])
            if ear.heard[code] != stored[code]:
                broken.append(f"listener {number} in {code}: missing {sorted(missing)[:9]}")
        if ear.twice:
            broken.append(f"listener {number} heard {ear.twice[:9]} twice")
    if any(stranger.heard[code] for code in CODES):
        broken.append("a stranger heard something")
    print(f"{len(accepted)} messages", flush=True)
    return broken


def heard(ear: Ear) -> dict[str, list[int]]:
    """Return what a listener heard, for comparison."""
    return {code: list(ear.heard[code]) for code in CODES}


def by_code(campus: Campus) -> dict[str, list[int]]:
    """Return the ids of the stored messages of each UKM, in order."""
    query = select(ChatMessage.id, Ukm.code).join(Ukm).order_by(ChatMessage.id)
    found: dict[str, list[int]] = {code: [] for code in CODES}
    with campus.app.app_context():
        for message_id, code in db.session.execute(query):
            found[code].append(message_id)
    return found


def main() -> int:
    """Play one round; return 1 when a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10_000))
    parser.add_argument("--seconds", type=float, default=60)
    asked = parser.parse_args()
    print(f"seed {asked.seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        campus = Campus(Path(folder), students=10)
        try:
            broken = play(campus, random.Random(asked.seed), asked.seconds)
            print("\n".join([*broken[:20], campus.logs()]) if broken else "no promise broken")
        finally:
            campus.stop()
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
