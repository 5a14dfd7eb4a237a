"""Presence: statuses by connections and time, what is published, and behaviour without Valkey."""

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
import redis
from flask import Flask
from sqlalchemy import insert

from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.domain.presence import connections, outbox, presence_list, store, tracker
from myukm.domain.ukm import memberships
from myukm.extensions import db
from myukm.live import pubsub
from myukm.models import Membership, Ukm, User
from myukm.queues.enqueue import get_queue
from myukm.queues.jobs import DEFAULT
from tests.support.people import UKM
from tests.support.programs import Program
from tests.support.statements import recorded_statements
from tests.support.waiting import wait_until
from tests.support.without_valkey import lose_valkey

People = dict[str, int]


@pytest.fixture
def inside(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """The app, in a process without streams of other tests."""
    monkeypatch.setattr(tracker, "_connections", tracker._Connections())
    with app.app_context():
        yield app


@pytest.fixture
def published(inside: Flask, monkeypatch: pytest.MonkeyPatch) -> list[dict]:
    """The data of the published events, which are recorded instead of sent to Valkey."""
    received: list[dict] = []
    monkeypatch.setattr(
        pubsub, "publish_many", lambda events: received.extend(data for _, _, data in events)
    )
    return received


@pytest.fixture
def member(inside: Flask, people: People) -> int:
    return people["member"]


def status_of(user_id: int) -> str:
    return store.statuses([user_id]).get(user_id, "offline")


def jobs() -> list[int]:
    """Empty the queue; return the accounts that its jobs would have published."""
    queue = get_queue(DEFAULT)
    users = [job.args[0] for job in queue.jobs]
    queue.empty()
    return users


def run_jobs() -> None:
    for user_id in jobs():
        tracker.broadcast(user_id)


def test_the_first_stream_of_a_user_publishes_online_once(
    member: int, published: list[dict]
) -> None:
    tracker.connect([(member, "tab-1")])
    tracker.connect([(member, "tab-2")])
    assert jobs() == [member]
    assert tracker.broadcast(member) == "online"
    assert tracker.broadcast(member) is None
    assert published == [
        {
            "ukm": UKM,
            "user_id": member,
            "name": "Mega Lestari",
            "status": "online",
            "last_seen": None,
            "online_count": 1,
        }
    ]
    tracker.connect([(member, "tab-3")])
    assert jobs() == []


def test_a_user_who_changes_the_page_stays_online(member: int, published: list[dict]) -> None:
    tracker.connect([(member, "page-1")])
    run_jobs()
    tracker.disconnect([(member, "page-1")])
    tracker.publish_expired()
    assert (status_of(member), tracker.count_streams([member])[member]) == ("online", 0)
    tracker.connect([(member, "page-2")])
    assert (jobs(), tracker.count_streams([member])[member], len(published)) == ([], 1, 1)


def test_after_the_grace_period_a_user_is_offline_with_a_last_seen_time(
    member: int, published: list[dict], monkeypatch: pytest.MonkeyPatch
) -> None:
    tracker.connect([(member, "page")])
    run_jobs()
    monkeypatch.setattr(connections, "GRACE_SECONDS", 0.05)
    tracker.disconnect([(member, "page")])
    wait_until(lambda: tracker.publish_expired() or job_is_queued(), 30)
    run_jobs()
    assert [(event["status"], event["online_count"]) for event in published] == [
        ("online", 1),
        ("offline", 0),
    ]
    assert published[-1]["last_seen"].endswith("Z")


def job_is_queued() -> bool:
    return get_queue(DEFAULT).count > 0


def test_an_open_tab_keeps_its_user_online(member: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "GRACE_SECONDS", 0.01)
    tracker.connect([(member, "phone")])
    tracker.connect([(member, "laptop")])
    tracker.disconnect([(member, "phone")])
    wait_until(lambda: connections.open_streams([member]) == {member: 1})
    assert status_of(member) == "online"


def test_connections_of_a_process_that_died_expire(
    member: int, published: list[dict], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Long enough that "online" is published before the connection expires.
    monkeypatch.setattr(connections, "CONNECTION_TTL", 3)
    tracker.connect([(member, "page")])
    run_jobs()
    wait_until(lambda: tracker.publish_expired() or job_is_queued(), 30)
    run_jobs()
    assert [event["status"] for event in published] == ["online", "offline"]
    assert tracker.count_streams([member])[member] == 0


def test_an_inactive_user_is_away_until_the_next_activity(
    member: int, published: list[dict], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Long enough that "online" is published before the activity expires.
    monkeypatch.setattr(connections, "ACTIVITY_TTL", 3)
    tracker.connect([(member, "page")])
    run_jobs()
    wait_until(lambda: tracker.publish_expired() or job_is_queued(), 30)
    run_jobs()
    monkeypatch.setattr(connections, "ACTIVITY_TTL", 300)
    tracker.record_activity(member)
    run_jobs()
    assert [event["status"] for event in published] == ["online", "away", "online"]
    assert [event["online_count"] for event in published] == [1, 1, 1]


def test_a_process_refreshes_its_streams_every_15_seconds(
    member: int, inside: Flask, valkey: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracker, "REFRESH_SECONDS", 0.0)
    tracker.connect([(member, "page")])
    valkey.flushall()
    assert status_of(member) == "offline"
    tracker.refresh_connections()
    assert (status_of(member), jobs()) == ("online", [member])
    tracker.disconnect([(member, "page")])


def test_a_lost_job_is_queued_again(member: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "QUEUED_SECONDS", 0.2)
    tracker.connect([(member, "page")])
    assert jobs() == [member]
    wait_until(lambda: tracker.publish_expired() or jobs() == [member], 30)


def test_all_members_are_listed_online_ones_first(people: People, inside: Flask) -> None:
    tracker.connect([(people["friend"], "page")])
    membership = memberships.get_membership(people["member"], UKM)
    state = presence_list.member_list(membership.ukm)
    assert (state["online_count"], state["total_members"]) == (1, 2)
    assert [(who["user_id"], who["status"]) for who in state["members"]] == [
        (people["friend"], "online"),
        (people["member"], "offline"),
    ]
    assert [who["user_id"] for who in presence_list.snapshots([UKM])] == [people["friend"]]
    assert presence_list.counts([membership.ukm_id])[membership.ukm_id] == 1


def test_the_list_of_a_large_ukm_has_50_members_and_the_counts(
    people: People, inside: Flask
) -> None:
    crowd = enlarge(150)
    for user_id in crowd[:60]:
        tracker.connect([(user_id, "page")])
    membership = memberships.get_membership(people["member"], UKM)
    state = presence_list.member_list(membership.ukm)
    assert (state["online_count"], state["total_members"]) == (60, 152)
    assert {who["status"] for who in state["members"]} == {"online"}
    assert len(state["members"]) == len(list(presence_list.snapshots([UKM]))) == 50


def test_snapshots_of_many_ukms_take_two_queries(people: People, inside: Flask) -> None:
    tracker.connect([(people["friend"], "page")])
    codes = [f"U{n:02}" for n in range(30)]
    with transaction() as session:
        ukms = [Ukm(code=code, join_code=code, name=code) for code in codes]
        session.add_all(ukms)
        session.flush()
        session.add_all(Membership(ukm_id=one.id, user_id=people["friend"]) for one in ukms)
    with recorded_statements(inside) as statements:
        published = list(presence_list.snapshots([*codes, UKM]))
    assert sorted(one["ukm"] for one in published) == sorted([*codes, UKM])
    assert {one["user_id"] for one in published} == {people["friend"]}
    assert len([each for each in statements if each.startswith("SELECT")]) == 2


def test_many_arrivals_are_published_by_one_job(
    people: People,
    inside: Flask,
    published: list[dict],
    valkey: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tracker, "LARGE_UKM_MILLISECONDS", 60_000)
    crowd = enlarge(2000)
    for first in range(0, 2000, 50):
        tracker.connect([(user_id, "page") for user_id in crowd[first : first + 50]])
    assert len(jobs()) == 1
    assert tracker.broadcast(crowd[-1]) == "online"
    assert outbox.waiting(9) == []
    assert [event["ukm"] for event in published] == [UKM]
    tracker.connect([(people["friend"], "page")])
    run_jobs()
    assert len(published) == 1, "the next event of a large UKM is delayed"
    valkey.delete(*valkey.keys("myukm:once:*"))
    tracker.publish_delayed()
    assert published[-1]["online_count"] == 2001


def test_delayed_users_stay_stored_if_publishing_fails(
    inside: Flask, valkey: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: object) -> None:
        raise redis.TimeoutError

    for place in ("tracker._publish", "store.read_statuses"):
        with monkeypatch.context() as patched:
            patched.setattr(f"myukm.domain.presence.{place}", broken)
            outbox.delay([1, 2])
            with pytest.raises(redis.TimeoutError):
                tracker.publish_delayed()
        assert sorted(outbox.take_delayed(9)) == [1, 2], place


SLOWDOWN = 4  # how many times slower a busy machine may be


def test_two_thousand_arrivals_delay_jobs_only_briefly(
    people: People, app: Flask, start: Callable[..., Program], valkey: redis.Redis
) -> None:
    worker = start("python", "worker.py", "default")
    with app.app_context():
        crowd, waits = enlarge(2000), [0.0]
        wait_until(lambda: valkey.scard("rq:workers"), 30, worker.output)
        for first in range(0, 2000, 50):
            tracker.connect([(user_id, "page") for user_id in crowd[first : first + 50]])
            waits += waits_of_jobs()
        wait_until(lambda: waits.extend(waits_of_jobs()) or not outbox.waiting(1), 30)
    assert max(waits) < SLOWDOWN * 1.0


def waits_of_jobs() -> list[float]:
    """Return the seconds that each queued job has waited; there may be at most one."""
    queued = get_queue(DEFAULT).jobs
    assert len(queued) <= 1
    return [(utcnow() - job.enqueued_at).total_seconds() for job in queued]


def enlarge(count: int) -> list[int]:
    """Create `count` more members of ROBOTIK; return their ids."""
    with transaction() as session:
        users = [User(nim=f"c{n}", name=f"Warga {n:03}", password_hash="") for n in range(count)]
        session.add_all(users)
        session.flush()
        ukm_id = session.query(Ukm.id).filter_by(code=UKM).scalar()
        session.execute(
            insert(Membership),
            [{"ukm_id": ukm_id, "user_id": user.id, "is_admin": False} for user in users],
        )
    return [user.id for user in users]


def test_concurrent_jobs_leave_no_status_unpublished(app: Flask, member: int) -> None:
    tracker.connect([(member, "page")])

    def publish() -> None:
        with app.app_context():
            tracker.broadcast(member)

    threads = [threading.Thread(target=publish) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outbox.unpublished([member]) == {}
    assert outbox.waiting(9) == []


def test_typing_is_published_every_two_seconds_at_most_and_not_for_muted_members(
    member: int, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    received: list[dict] = []
    monkeypatch.setattr(
        pubsub, "publish_transient", lambda topic, kind, data: received.append(data)
    )
    membership = memberships.get_membership(member, UKM)
    for _ in range(5):
        tracker.typing(membership)
    friend = memberships.get_membership(people["friend"], UKM)
    friend.muted_until = utcnow() + timedelta(hours=1)
    tracker.typing(friend)
    assert received == [{"ukm": UKM, "user_id": member, "name": "Mega Lestari"}]


def test_without_valkey_everybody_is_offline_and_nothing_fails(
    settings: dict[str, str], app: Flask, people: People
) -> None:
    lose_valkey(app)
    with app.app_context():
        tracker.connect([(people["member"], "page")])
        tracker.record_activity(people["member"])
        tracker.refresh_connections()
        tracker.publish_expired()
        tracker.publish_delayed()
        tracker.disconnect([(people["member"], "page")])
        membership = memberships.get_membership(people["member"], UKM)
        tracker.typing(membership)
        assert presence_list.member_list(membership.ukm)["online_count"] == 0
        assert list(presence_list.snapshots([UKM])) == []
        assert not tracker.count_streams([people["member"]])
        assert db.session.get_one(User, people["member"]).last_seen_at is None
