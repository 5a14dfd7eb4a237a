"""Tests that take minutes, run by `./run faults --machines`: three Valkeys with sentinels, two
workers."""

from collections.abc import Iterator

import pytest
from sqlalchemy import select

from myukm.extensions import db
from myukm.models import LeaderLease
from myukm.ops.findings import host
from tests.machines.campus import Machines
from tests.machines.crowd import Crowd
from tests.machines.run_watch import RunWatch
from tests.machines.sentinels import Sentinels
from tests.support.programs import BIN
from tests.support.servers import open_folder
from tests.support.sync import create_students
from tests.support.waiting import wait_until


@pytest.fixture(scope="module")
def sentinels_and_machines(network_namespace: None) -> Iterator[tuple[Sentinels, Machines]]:
    with open_folder() as folder:
        made = Machines(folder, "kv2", "kv3", "w2")
        sentinels = Sentinels(folder, [made.hosts[name] for name in ("kv", "kv2", "kv3")])
        try:
            made.start(sentinels.url)
            made.start_worker("w2")
            with made.app.app_context():
                create_students(300)
            yield sentinels, made
        finally:
            made.stop()
            sentinels.stop()


@pytest.fixture
def sentinels(sentinels_and_machines: tuple[Sentinels, Machines]) -> Sentinels:
    return sentinels_and_machines[0]


@pytest.fixture
def machines(sentinels_and_machines: tuple[Sentinels, Machines]) -> Machines:
    return sentinels_and_machines[1]


def test_chat_goes_on_while_a_web_server_is_silent_for_a_minute(machines: Machines) -> None:
    with Crowd(machines) as crowd:
        crowd.wait_for_messages(5)
        with machines.network.silent("web1"):
            crowd.wait_for_seconds(60)
        crowd.wait_for_messages(5)
    assert crowd.broken_promises() == []
    assert crowd.slowest_acceptance() < 12
    assert crowd.slowest_delivery() < 40


def test_chat_and_run_go_on_while_a_worker_is_silent_for_a_minute(machines: Machines) -> None:
    with Crowd(machines) as crowd, RunWatch(machines, seconds=40) as run:
        run.wait_processed(20)
        with machines.network.silent("w1"):
            crowd.wait_for_seconds(60)
    assert crowd.broken_promises() == run.broken_promises() == []
    assert crowd.slowest_acceptance() < 12
    assert run.longest_gap() < 20


@pytest.mark.parametrize("seconds", [20, 90])
def test_chat_and_run_go_on_after_the_database_was_silent(machines: Machines, seconds: int) -> None:
    with Crowd(machines, seconds + 30) as crowd, RunWatch(machines, seconds=40) as run:
        run.wait_processed(20)
        with machines.network.silent("db"):
            crowd.wait_for_seconds(seconds)
    assert crowd.broken_promises() == run.broken_promises() == []
    assert crowd.slowest_acceptance() < seconds + 12
    assert run.longest_gap() < seconds + 12


def test_a_run_goes_on_after_the_payment_api_was_silent_for_30_s(machines: Machines) -> None:
    with RunWatch(machines, seconds=40) as run:
        run.wait_processed(20)
        with machines.network.silent("api"):
            run.ended.wait(30)
    assert run.broken_promises() == []
    assert run.longest_gap() < 30 + 12


def test_chat_goes_on_after_the_proxy_was_silent_for_20_s(machines: Machines) -> None:
    with Crowd(machines) as crowd:
        crowd.wait_for_messages(5)
        with machines.network.silent("lb"):
            crowd.wait_for_seconds(20)
    assert crowd.broken_promises() == []
    assert crowd.slowest_acceptance() < 20 + 12


def test_a_leader_that_cannot_reach_valkey_lets_another_lead(
    machines: Machines, sentinels: Sentinels
) -> None:
    leader = leading(machines)
    primary = next(each.name for each in sentinels.hosts if each.address == sentinels.primary())
    with machines.network.partitioned(leader, primary), RunWatch(machines, seconds=20) as run:
        wait_until(lambda: leading(machines) != leader, 30, "another one leads")
    assert run.broken_promises() == []
    assert run.longest_gap() < 20


@pytest.mark.parametrize("server", ["db", "valkey"])
@pytest.mark.parametrize("name", ["w1", "web1"])
def test_chat_and_run_go_on_while_a_host_cannot_reach_a_server_for_30_s(
    machines: Machines, sentinels: Sentinels, name: str, server: str
) -> None:
    primary = next(each.name for each in sentinels.hosts if each.address == sentinels.primary())
    with Crowd(machines) as crowd, RunWatch(machines, seconds=40) as run:
        run.wait_processed(20)
        with machines.network.partitioned(name, primary if server == "valkey" else server):
            crowd.wait_for_seconds(30)
    assert crowd.broken_promises() == run.broken_promises() == []
    assert crowd.slowest_acceptance() < 12
    assert crowd.slowest_delivery() < 40
    assert run.longest_gap() < 20


def test_chat_and_run_go_on_when_sentinels_replace_a_silent_primary(
    machines: Machines, sentinels: Sentinels
) -> None:
    old = sentinels.primary()
    place = next(n for n, each in enumerate(sentinels.hosts) if each.address == old)
    with Crowd(machines) as crowd, RunWatch(machines, seconds=20) as run:
        run.wait_processed(20)
        with machines.network.silent(sentinels.hosts[place].name):
            wait_until(lambda: sentinels.primary() not in ("", old), 30, "another is the primary")
            crowd.wait_for_seconds(10)
    assert crowd.broken_promises() == run.broken_promises() == []
    assert crowd.slowest_acceptance() < 6
    assert run.longest_gap() < 10


def test_chat_and_run_work_with_clocks_that_are_an_hour_off(machines: Machines) -> None:
    for name in ("web2", "w2"):
        machines.programs[name].stop()
    machines.start_with_wrong_clock("web2", -3600, str(BIN / "gunicorn"), "wsgi:app")
    machines.start_with_wrong_clock("w2", 3600, "worker.py")
    machines.wait_ready("web2")
    with Crowd(machines) as crowd, RunWatch(machines, seconds=20) as run:
        crowd.wait_for_seconds(20)
    assert crowd.broken_promises() == run.broken_promises() == []
    assert crowd.refusals() == {}, "both web servers accept a log-in"
    with machines.app.app_context():
        named = wait_until(lambda: [finding.message for finding in host.clocks()])
    assert [any(name in message for message in named) for name in ("web2", "w2")] == [True, True]


def leading(machines: Machines) -> str:
    """Return the host of the leader."""
    with machines.app.app_context():
        holder = db.session.scalars(select(LeaderLease.holder)).one()
    return holder.partition(":")[0]
