"""Answers of push services, killed jobs, and addresses that must not be called."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from datetime import timedelta

import pytest
import requests
from sqlalchemy import select, update

from devtools.ports import any_free
from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.domain.push import (
    delivery,
    endpoints,
    failing_services,
    fan_out,
    outbox,
    sender,
    subscriptions,
    watch,
)
from myukm.domain.push.keys import ServerKey, server_key
from myukm.errors import Invalid
from myukm.extensions import db
from myukm.models import LoginSession, PushDelivery, PushKey, PushSubscription
from myukm.ops.findings import push as findings
from myukm.queues.enqueue import get_queue
from myukm.queues.jobs import DEFAULT
from tests.conftest import every_database
from tests.domain.push.conftest import Campus, WhileSending
from tests.domain.push.test_who_is_notified import make_due
from tests.support.people import token_for
from tests.support.push_service import FakeBrowser


def subscribed() -> int:
    found = len(db.session.scalars(select(PushSubscription.id)).all())
    db.session.rollback()
    return found


@pytest.mark.parametrize("status", [404, 410])
def test_a_dead_subscription_is_deleted(campus: Campus, status: int) -> None:
    campus.subscribe("member")
    campus.service.status = status
    campus.say("@Mega Lestari ayo")
    assert campus.push() == 0
    assert (subscribed(), campus.count_deliveries()) == (0, 0)


@pytest.mark.parametrize("status", [400, 403, 413])
def test_a_refused_delivery_is_not_sent_again(campus: Campus, status: int) -> None:
    campus.subscribe("member")
    campus.service.status = status
    campus.say("@Mega Lestari ayo")
    assert campus.push() == 0
    assert (subscribed(), campus.count_deliveries()) == (1, 0)


def test_a_service_that_accepts_nothing_is_a_finding_until_it_accepts_one(campus: Campus) -> None:
    campus.subscribe("member")
    campus.service.status = 403
    for _ in range(failing_services.MIN_FAILURES):
        assert list(findings.undelivered()) == []
        campus.say("@Mega Lestari ayo")
        assert campus.push() == 0
    [found] = findings.undelivered()
    assert (found.code, "127.0.0.1 gagal (HTTP 403)" in str(found.message)) == (
        "push_undelivered",
        True,
    )
    campus.service.status = 201
    campus.say("@Mega Lestari ayo")
    assert campus.push() == 1
    assert list(findings.undelivered()) == []


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [
        (503, {}, (0, 10)),
        (429, {"Retry-After": "77"}, (75, 77)),
        (500, {"Retry-After": "?"}, (0, 10)),
        (429, {"Retry-After": "nan"}, (0, 10)),
        (429, {"Retry-After": "1e9"}, (0, 10)),
        (503, {"Retry-After": "9" * 5000}, (0, 10)),
    ],
)
def test_a_delivery_is_retried_after_a_temporary_error(
    campus: Campus, status: int, headers: dict[str, str], seconds: tuple[int, int]
) -> None:
    mega = campus.subscribe("member")
    campus.service.status, campus.service.extra = status, headers
    campus.say("@Mega Lestari ayo")
    assert campus.push() == 0
    due = db.session.scalars(select(PushDelivery.due_at)).one()
    low, high = (timedelta(seconds=each) for each in seconds)
    assert low <= due - utcnow() <= high
    campus.service.status = 201
    make_due()
    assert campus.push() == 1
    assert len(mega.got) == 1


def test_a_delivery_is_dropped_after_too_many_timeouts(
    campus: Campus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "READ_SECONDS", 0.2)
    campus.subscribe("member")
    silent = threading.Event()
    campus.service.hold = silent.wait
    campus.say("@Mega Lestari ayo")
    campus.fan_out()
    for _ in range(outbox.MAX_TRIES):
        assert campus.count_deliveries() == 1
        assert delivery.deliver() == 0
        make_due()
    silent.set()
    assert (subscribed(), campus.count_deliveries()) == (1, 0)


@contextmanager
def dripping() -> Iterator[str]:
    """A push service whose answer comes byte by byte and never ends."""
    stop = threading.Event()

    def drip() -> None:
        with inside.accept()[0] as caller, suppress(OSError):
            caller.sendall(b"HTTP/1.1 201 Created\r\nX-Drip: ")
            while not stop.wait(0.05):
                caller.sendall(b"x")

    with socket.create_server(("127.0.0.1", 0)) as inside:
        threading.Thread(target=drip, daemon=True).start()
        yield f"http://127.0.0.1:{inside.getsockname()[1]}"
        stop.set()


def test_an_endless_answer_does_not_delay_other_deliveries(
    campus: Campus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "MAX_SECONDS", 3.0)
    mega = campus.subscribe("member", "phone")
    login = LoginSession.digest(token_for(campus.people["member"]))
    with dripping() as url:
        subscriptions.subscribe(login, **FakeBrowser(url, "slow").subscription, lang="id")
        campus.say("@Mega Lestari ayo")
        begun = time.monotonic()
        assert campus.push() == 1
        assert time.monotonic() - begun < 30, "the delivery ended although the answer did not"
    assert (len(mega.got), campus.count_deliveries()) == (1, 1)
    assert db.session.scalars(select(PushDelivery.tries)).one() == 1


def test_a_redirect_is_not_followed(campus: Campus) -> None:
    campus.subscribe("member")
    campus.service.status, campus.service.extra = 307, {"Location": "/push/elsewhere"}
    campus.say("@Mega Lestari ayo")
    assert campus.push() == 0
    assert (campus.service.request_count, campus.count_deliveries()) == (1, 0)


def test_headers_let_a_service_replace_an_undelivered_notification(campus: Campus) -> None:
    mega = campus.subscribe("member")
    for text in ("satu", "dua"):
        campus.say(f"@Mega Lestari {text}")
        campus.push()
    first, second = mega.headers
    assert first["Topic"] == second["Topic"]
    assert len(first["Topic"]) == 32
    assert (first["TTL"], first["Urgency"]) == ("14400", "high")
    assert first["Content-Encoding"] == "aes128gcm"
    assert first["Authorization"].startswith("vapid t=")


@every_database
def test_a_message_posted_while_another_is_sent_is_sent_too(
    campus: Campus, while_sending: WhileSending
) -> None:
    mega = campus.subscribe("member")
    campus.say("@Mega Lestari satu")

    def post_another() -> None:
        campus.say("@Mega Lestari dua")
        campus.fan_out()

    while_sending(post_another)
    assert campus.push() == 2
    assert [each["body"].partition("\n")[0] for each in mega.got] == [
        "@Mega Lestari satu",
        "@Mega Lestari dua",
    ]
    assert campus.count_deliveries() == 0


@every_database
def test_deliveries_claimed_by_a_killed_job_are_sent_by_another(campus: Campus) -> None:
    mega = campus.subscribe("member")
    campus.say("@Mega Lestari ayo")
    campus.fan_out()
    outbox.claim()
    assert delivery.deliver() == 0
    watching = watch.PushWatch(claim_seconds=0)
    watching.poll()
    assert len(get_queue(DEFAULT).get_job_ids()) >= 1
    assert delivery.deliver() == 1
    assert len(mega.got) == 1


@every_database
def test_a_delivery_is_dropped_after_killing_too_many_jobs(campus: Campus) -> None:
    campus.subscribe("member")
    campus.say("@Mega Lestari ayo")
    campus.fan_out()
    for _ in range(outbox.MAX_TRIES):
        assert campus.count_deliveries() == 1
        outbox.release([outbox.claim()[0]])
    assert campus.count_deliveries() == 0


def test_a_live_claim_is_not_released(campus: Campus) -> None:
    campus.subscribe("member")
    campus.say("@Mega Lestari ayo")
    campus.fan_out()
    outbox.claim()
    watching = watch.PushWatch()
    for _ in range(3):
        watching.poll()
    assert delivery.deliver() == 0


def mention(campus: Campus) -> None:
    campus.say("@Mega Lestari ayo")


def pin(campus: Campus) -> None:
    campus.pin("Latihan pindah ke aula")


@every_database
@pytest.mark.parametrize("act", [mention, pin])
def test_the_watch_enqueues_a_lost_fan_out(campus: Campus, act: Callable[[Campus], None]) -> None:
    campus.subscribe("member")
    act(campus)
    queue = get_queue(DEFAULT)
    queue.empty()
    campus.app.extensions["valkey"].flushdb()
    watching = watch.PushWatch(lag_seconds=0)
    watching.poll()
    assert [job.func_name for job in queue.jobs] == [fan_out.JOB]
    campus.push()
    queue.empty()
    campus.app.extensions["valkey"].flushdb()
    watching.poll()
    assert queue.jobs == []


def test_nothing_is_queued_while_nobody_is_subscribed(campus: Campus) -> None:
    campus.say("@Mega Lestari ayo")
    assert fan_out.JOB not in [job.func_name for job in get_queue(DEFAULT).jobs]
    watch.PushWatch(lag_seconds=0).run()
    assert get_queue(DEFAULT).jobs == []


def test_a_new_mention_resets_age_and_tries(campus: Campus) -> None:
    mega = campus.subscribe("member")
    campus.say("@Mega Lestari ayo")
    campus.fan_out()
    old = {"created_at": utcnow() - timedelta(hours=13), "tries": outbox.MAX_TRIES - 1}
    with transaction() as session:
        session.execute(update(PushDelivery).values(old))
    campus.say("@Mega Lestari masih di mana")
    campus.fan_out()
    assert db.session.scalars(select(PushDelivery.tries)).one() == 0
    assert delivery.deliver() == 1
    assert mega.got[0]["body"].startswith("@Mega Lestari masih")


def test_a_delivery_older_than_12_hours_is_dropped(campus: Campus) -> None:
    mega = campus.subscribe("member")
    campus.say("@Mega Lestari ayo")
    campus.fan_out()
    with transaction() as session:
        session.execute(update(PushDelivery).values(created_at=utcnow() - timedelta(hours=13)))
    assert delivery.deliver() == 0
    assert (mega.got, campus.count_deliveries()) == ([], 0)


@every_database
def test_all_machines_share_one_key(campus: Campus) -> None:
    made = server_key().public
    campus.app.extensions.pop("push_key")
    assert server_key().public == made
    stored = db.session.scalars(select(PushKey.private)).one()
    assert ServerKey(stored, "mailto:a@b.id").public == made


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://push.example.com/x",
        "https://localhost/x",
        "https://127.0.0.1/x",
        "https://10.0.0.8/x",
        "https://192.168.1.1/x",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/x",
        "https://[::ffff:127.0.0.1]/x",
        "https://[::ffff:100.64.0.1]/x",
        "https://[fd00::1]/x",
        "https://[64:ff9b::7f00:1]/x",
        "https://[64:ff9b:1::1]/x",
        "https://[2002:7f00:1::]/x",
        "https://[::127.0.0.1]/x",
        "https://[::ffff:0:127.0.0.1]/x",
        "https://[fec0::1]/x",
        "https://valkey/x",
        "https://push.example.com:6379/x",
        "https://user@push.example.com/x",
        "https://push.example.com:99999/x",
        "ftp://push.example.com/x",
        "https://push.example.com/" + "x" * 2000,
        "",
    ],
)
def test_private_and_malformed_endpoints_are_refused(campus: Campus, endpoint: str) -> None:
    campus.app.config["PUSH_ENDPOINTS"] = "public"
    browser = campus.service.browser("x").subscription
    with pytest.raises(Invalid):
        subscriptions.subscribe("-", **(browser | {"endpoint": endpoint}), lang="id")


def test_malformed_keys_are_refused(campus: Campus) -> None:
    good = campus.service.browser("x").subscription
    for wrong in ({"auth": "AAAA"}, {"p256dh": "BAAA"}, {"p256dh": "B" * 87}, {"auth": "?" * 22}):
        with pytest.raises(Invalid):
            subscriptions.subscribe("-", **(good | wrong), lang="id")


def test_a_host_name_that_resolves_to_a_private_address_is_not_called(
    campus: Campus, monkeypatch
) -> None:
    """The name passes the check at subscription; its address is checked at connection."""
    with socket.create_server(("127.0.0.1", any_free())) as inside:
        port = inside.getsockname()[1]
        local = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_: local)
        session = endpoints.session(1, any_address=False)
        for url in (f"https://push.example.com:{port}/x", f"http://push.example.com:{port}/x"):
            with pytest.raises(requests.ConnectionError):
                session.post(url, timeout=3)
        inside.settimeout(0.1)
        with pytest.raises(TimeoutError):
            inside.accept()


def test_if_the_ipv6_address_does_not_answer_the_ipv4_address_is_called(
    campus: Campus, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_up = socket.getaddrinfo
    port = any_free()
    silent, good = ("127.0.0.2", port), ("127.0.0.1", port)
    pairs = ((socket.AF_INET6, silent), (socket.AF_INET, good))  # IPv6 may be missing here
    found = [(family, socket.SOCK_STREAM, 6, "", each) for family, each in pairs]
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, *rest: look_up(host, *rest) if host[0] == "1" else found
    )
    monkeypatch.setattr(endpoints, "is_public", lambda _address: True)
    with ExitStack() as stack:
        # A full queue of connections: the system answers no further one.
        full = stack.enter_context(socket.create_server(silent, backlog=0))
        stack.enter_context(socket.create_connection(full.getsockname()))
        server = stack.enter_context(socket.create_server(good))
        server.settimeout(10)
        caller = stack.enter_context(ThreadPoolExecutor(1))
        session = endpoints.session(1, any_address=False)
        url = f"https://push.example.com:{port}/x"
        call = caller.submit(session.post, url, timeout=(2, 10))
        server.accept()[0].close()
        assert isinstance(call.exception(), requests.ConnectionError)
