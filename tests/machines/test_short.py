"""Hosts that restart, are silent, or lose power: tests that take seconds (others: scenes.py)."""

import pytest

from tests.machines.campus import WEBS, Machines
from tests.machines.crowd import Crowd
from tests.support.people import UKM
from tests.support.waiting import wait_until

LOCK_A_UKM = (
    "import time",
    "from sqlalchemy import select",
    "from myukm import create_app",
    "from myukm.db.session import transaction",
    "from myukm.models import Ukm",
    "with create_app().app_context(), transaction() as session:",
    f"    session.scalars(select(Ukm).where(Ukm.code == '{UKM}').with_for_update()).one()",
    "    print('locked', flush=True)",
    "    time.sleep(600)",
)


def test_nobody_sees_an_error_while_web_servers_restart_one_after_the_other(
    machines: Machines,
) -> None:
    with Crowd(machines) as crowd:
        for name in WEBS:
            assert machines.programs[name].stop() == 0
            machines.start_web(name)
            machines.wait_ready(name)
        crowd.wait_for_messages(20)
    assert crowd.broken_promises() == []
    assert crowd.refusals() == {}, "nobody sees an error"


@pytest.mark.timing("messages arrive within 8 s while Valkey is silent")
def test_messages_arrive_while_valkey_is_silent(machines: Machines) -> None:
    with Crowd(machines) as crowd:
        crowd.wait_for_messages(5)
        with machines.network.silent("kv"):
            crowd.wait_for_messages(15)
        crowd.wait_for_messages(5)
    assert crowd.broken_promises() == []
    assert crowd.slowest_acceptance() < 4
    assert crowd.slowest_delivery() < 8


def test_messages_arrive_after_a_worker_lost_power_while_it_locked_a_ukm(
    machines: Machines,
) -> None:
    holder = machines.run_on("w1", *LOCK_A_UKM)
    wait_until(lambda: "locked" in holder.output(), 20, "the row is locked")
    with Crowd(machines) as crowd, machines.network.silent("w1"):
        crowd.wait_for_messages(3, timeout=20)
    holder.kill()
    assert crowd.broken_promises() == []
    assert crowd.slowest_acceptance() < 12
