"""`rq -c rq_settings`: plain `rq` reads the same settings as the other programs."""

from collections.abc import Callable

from tests.support.programs import Program


def test_a_wrong_setting_stops_rq_with_its_one_line(start: Callable[..., Program]) -> None:
    program = start("rq", "info", "-c", "rq_settings", REDIS_URL="http://h", MYUKM_LANG="en")
    assert program.child.wait(20) == 2
    assert program.output().startswith("myukm: REDIS_URL: http://h must start with")
