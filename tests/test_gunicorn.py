"""The web server's own start."""

from collections.abc import Callable

from tests.support.programs import Program


def test_wrong_settings_stop_it_with_one_line(start: Callable[..., Program]) -> None:
    program = start("gunicorn", "wsgi:app", MYUKM_LANG="fr", MYUKM_BIND="127.0.0.1:0")
    assert program.child.wait(20) == 2
    said = [line for line in program.output().splitlines() if not line.startswith("[")]
    assert said == ["myukm: MYUKM_LANG: 'fr' bukan salah satu dari id, en"]
