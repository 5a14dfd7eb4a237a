"""Machines that leave, are silent, or lose power: the scenes that take seconds (see scenes.py)."""

import pytest

from tests.machines.campus import WEBS, Machines
from tests.machines.crowd import Crowd
from tests.support.people import UKM
from tests.support.waiting import wait_until

HOLD = (
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


def test_web_servers_are_restarted_one_after_the_other(machines: Machines) -> None:
    with Crowd(machines) as crowd:
        for name in WEBS:
            assert machines.programs[name].stop() == 0
            machines.start_web(name)
            machines.wait_ready(name)
        crowd.wait_for(20)
    assert crowd.broken() == []
    assert crowd.refusals() == {}, "nobody sees an error"


@pytest.mark.timing("messages arrive within 8 s while Valkey is silent")
def test_valkey_is_silent(machines: Machines) -> None:
    with Crowd(machines) as crowd:
        crowd.wait_for(5)
        with machines.network.silent("kv"):
            crowd.wait_for(15)
        crowd.wait_for(5)
    assert crowd.broken() == []
    assert crowd.slowest() < 4
    assert crowd.latest() < 8


def test_a_worker_loses_power_while_it_holds_the_rows_of_a_ukm(machines: Machines) -> None:
    holder = machines.run_on("w1", *HOLD)
    wait_until(lambda: "locked" in holder.output(), 20, "the row is locked")
    with Crowd(machines) as crowd, machines.network.silent("w1"):
        crowd.wait_for(3, timeout=20)
    holder.kill()
    assert crowd.broken() == []
    assert crowd.slowest() < 12
