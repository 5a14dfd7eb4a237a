"""One round of the harness: a busy chat with random faults.

python -m tests.faults.chat_round [--seed 7] [--seconds 60]
"""

import random
import sys
import threading
import time
from contextlib import suppress
from itertools import zip_longest

import requests
from flask.sessions import SecureCookieSessionInterface
from sqlalchemy import select

from myukm.db.session import transaction
from myukm.extensions import db
from myukm.models import ChatMessage, Membership, Ukm, User
from tests.faults import faults, one_round
from tests.faults.campus import Campus
from tests.faults.chatters import MessageSender, StreamClient
from tests.support.people import token_for
from tests.support.waiting import wait_until

CODES = [f"CHAT{n}" for n in range(5)]
SENDERS, ACCOUNTS_PER_SENDER, LISTENERS = 20, 8, 6
FAULTS = (
    faults.kill_one_worker_process,
    faults.kill_all_workers,
    faults.kill_web,
    faults.restart_valkey,
    faults.lose_valkey,
    faults.wipe_valkey,
    faults.kill_database,
)


def play(campus: Campus, rng: random.Random, seconds: int) -> list[str]:
    """Let people chat while faults come; return the promises that were broken."""
    accounts = populate(campus)
    senders = [
        MessageSender(
            campus.url,
            f"t{n}",
            accounts[n * ACCOUNTS_PER_SENDER : (n + 1) * ACCOUNTS_PER_SENDER],
            CODES,
        )
        for n in range(SENDERS)
    ]
    clients = [StreamClient(campus.url, session, CODES) for session in accounts[:LISTENERS]]
    outsider = StreamClient(campus.url, campus.log_in("outsider"), CODES)
    for client in (*clients, outsider):
        client.start()
    wait_until(lambda: all(client.opened.is_set() for client in (*clients, outsider)), 30)
    for sender in senders:
        sender.start()
    ended, until = threading.Event(), time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(rng.uniform(1, 4))
        fault = rng.choice(FAULTS)
        print(fault.__name__, flush=True)
        fault(campus, rng, ended)
    for sender in senders:
        sender.stopped.set()
        sender.join(sender.timeout + 10)
    broken = check(campus, senders, clients, outsider)
    for client in (*clients, outsider):
        client.stopped.set()
    return broken


def populate(campus: Campus) -> list[requests.Session]:
    """Create five UKMs and their members; return a session of each member."""
    with campus.app.app_context():
        with transaction() as session:
            units = [Ukm(code=code, join_code=code, name=code) for code in CODES]
            count = range(SENDERS * ACCOUNTS_PER_SENDER)
            users = [User(nim=f"c{n}", name=f"Warga {n}", password_hash="-") for n in count]
            session.add_all([*units, *users])
            session.flush()
            session.add_all(
                Membership(ukm_id=unit.id, user_id=user.id) for unit in units for user in users
            )
        tokens = [token_for(user.id) for user in users]
        signer = SecureCookieSessionInterface().get_signing_serializer(campus.app)
    assert signer
    sessions = []
    for token in tokens:
        sessions.append(requests.Session())
        sessions[-1].cookies.set("myukm", str(signer.dumps({"_user_id": token, "_fresh": True})))
    return sessions


def check(
    campus: Campus,
    senders: list[MessageSender],
    clients: list[StreamClient],
    outsider: StreamClient,
) -> list[str]:
    """Return the broken promises: each accepted message is stored and received once, in order."""
    stored = stored_by_code(campus)
    with suppress(AssertionError):
        wait_until(lambda: all(received(client) == stored for client in clients), 30)
    accepted = {key: value for sender in senders for key, value in sender.accepted.items()}
    broken = [problem for sender in senders for problem in sender.problems]
    if sorted(accepted) != sorted(key for ids in stored.values() for key in ids):
        broken.append(f"{len(accepted)} accepted, {sum(map(len, stored.values()))} stored")
    for number, client in enumerate(clients):
        for code in CODES:
            if difference := first_difference(stored[code], client.received[code]):
                broken.append(f"listener {number} in {code}: {difference}")
        if client.twice:
            broken.append(f"listener {number} received {client.twice[:9]} twice")
    if any(outsider.received[code] for code in CODES):
        broken.append("the outsider received a message")
    print(f"{len(accepted)} messages", flush=True)
    return broken


def first_difference(expected: list[int], received: list[int]) -> str:
    """Return what both lists have from their first difference on; "" if they are equal."""
    if expected == received:
        return ""
    pairs = zip_longest(expected, received)
    at = next(index for index, (one, other) in enumerate(pairs) if one != other)
    return f"expected {expected[at : at + 9]}, received {received[at : at + 9]}"


def received(client: StreamClient) -> dict[str, list[int]]:
    """Return the ids of the messages that a listener received, by UKM."""
    return {code: list(client.received[code]) for code in CODES}


def stored_by_code(campus: Campus) -> dict[str, list[int]]:
    """Return the ids of the stored messages of each UKM, in order."""
    query = select(ChatMessage.id, Ukm.code).join(Ukm).order_by(ChatMessage.id)
    found: dict[str, list[int]] = {code: [] for code in CODES}
    with campus.app.app_context():
        for message_id, code in db.session.execute(query):
            found[code].append(message_id)
    return found


if __name__ == "__main__":
    sys.exit(one_round.main(__doc__, play, seconds=60))
