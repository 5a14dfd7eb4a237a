"""Pages, commands, logs and errors show addresses without their secrets."""

import logging
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
import requests
from flask import Flask

import config
from devtools.ports import any_free
from myukm import create_app, jobs
from myukm.domain.roster import api_source
from myukm.errors import Unavailable
from myukm.logs import redaction
from myukm.ops import doctor
from tests.support.programs import BIN, ROOT, SECRET, Program, WebServer
from tests.support.waiting import wait_until

# Every spelling of a password below contains these letters in one piece.
MARK = "gEhEiM"
PASSWORDS = (
    f"{MARK}1",
    f"{MARK}%2Fa%40b%23c%3Fd",
    f"a/{MARK}",
    f"a@{MARK}",
    f"{MARK}@b",
    f"a#{MARK}",
    f"a?{MARK}",
    f"1/{MARK}/0",
)
SCHEMES = {
    "DATABASE_URL": ("postgresql", "mariadb", "mysql", "postgres"),
    "REDIS_URL": ("redis", "rediss", "sentinel"),
    "PUBLIC_URL": ("https",),
    "PEMBAYARAN_API_URL": ("http", "https"),
    "ALERT_WEBHOOK_URL": ("https",),
    "HEARTBEAT_URL": ("https",),
    "SMTP_URL": ("smtp", "smtps"),
    "FILES_URL": ("s3",),
}
ODD = (
    f"user:{MARK}@host/db",
    f"{MARK}",
    f"//x:{MARK}@h",
    f"http:/x:{MARK}@h",
    f"http:x:{MARK}@h",
    f"://{MARK}",
    f"redis://:{MARK}",
    f"redis://:{MARK}#@",
    f"http://[{MARK}",
    f"http://{MARK}@",
    f"http://x:{MARK}@h:port",
    f"http://h/?password={MARK}",
    f"http://h/x#{MARK}",
    f"http://u:p@h/?a=b@{MARK}",
    f"postgresql://h/db?user=u&password={MARK}",
    f"ftp://x:{MARK}@h",
    f"REDIS://x:{MARK}@h",
    f"http://x:{MARK}@h\n\rforged",
)


@pytest.mark.parametrize(
    ("address", "text"),
    [
        ("postgresql://u:p@db.kampus:5432/myukm", "postgresql://db.kampus:5432/myukm"),
        ("postgresql://u@h/d?sslmode=require", "postgresql://h/d?…"),
        ("redis://127.0.0.1:6379/0", "redis://127.0.0.1:6379/0"),
        ("redis://:p@[::1]:6379/0", "redis://[::1]:6379/0"),
        ("sentinel://u:p@a:1,b:2/main/0", "sentinel://a:1,b:2/main/0"),
        ("unix:///run/valkey.sock", "unix:///run/valkey.sock"),
        ("sqlite:////srv/my ukm/x.db", "sqlite:////srv/my ukm/x.db"),
        ("https://api.kampus.ac.id/v1", "https://api.kampus.ac.id/v1"),
        ("https://token@api.kampus.ac.id", "https://api.kampus.ac.id"),
        ("https://h/x?token=y", "https://h/x?…"),
        ("redis://:a?b@h/0", "redis://…"),
        ("redis://:a/b@h/0", "redis://h/0"),
        ("rahasia", "…"),
        ("", "…"),
    ],
)
def test_an_address_is_shown_without_user_password_and_query(address: str, text: str) -> None:
    assert redaction.shown(address) == text


@pytest.mark.parametrize("odd", ODD)
def test_no_secret_of_an_unusual_address_is_shown(odd: str) -> None:
    assert MARK not in redaction.shown(odd)
    assert redaction.shown(odd).isprintable()


def test_the_path_of_a_web_hook_is_its_secret() -> None:
    hook = f"https://hooks.kampus.ac.id/services/{MARK}"
    assert redaction.shown(hook, path=False) == "https://hooks.kampus.ac.id"


@pytest.fixture
def registered() -> Iterator[Callable[..., None]]:
    """`registered(ALERT_URLS="...")` registers the secrets of these settings for one test."""
    before = set(redaction._secrets)
    yield lambda **settings: redaction.register_secrets(settings)
    redaction._secrets.clear()
    redaction._secrets.update(before)


def test_an_alert_address_without_a_secret_leaves_texts_as_they_are(
    registered: Callable[..., None],
) -> None:
    registered(ALERT_URLS="syslog://")
    assert redaction.hide("connection refused") == "connection refused"


def test_the_query_of_a_web_hook_is_hidden_in_texts(registered: Callable[..., None]) -> None:
    registered(ALERT_WEBHOOK_URL=f"https://hooks.kampus.ac.id/trigger?code={MARK}")
    assert MARK not in redaction.hide(f"POST /trigger?code={MARK} failed")


def test_every_address_setting_is_redacted() -> None:
    known = set(config.load({"SECRET_KEY": SECRET}))
    named = {name for name in known if name.endswith("_URL")} - {"SQLALCHEMY_DATABASE_URI"}
    assert named == SCHEMES.keys()
    assert named <= set(redaction.SETTINGS)


def error_of(env: dict[str, str]) -> str:
    """Return the error message about these settings; "" if they are accepted."""
    try:
        config.load(env)
    except config.ConfigError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("name", SCHEMES)
def test_no_error_message_about_a_setting_contains_its_password(name: str) -> None:
    wrong = [f"{scheme}://x:{p}@" for scheme in SCHEMES[name] for p in PASSWORDS]
    wrong += [f"{scheme}://x:{p}@h:port/y" for scheme in SCHEMES[name] for p in PASSWORDS]
    refused = 0
    for value in (*wrong, *ODD):
        for language in ("id", "en"):
            published = error_of({"SECRET_KEY": SECRET, "MYUKM_LANG": language, name: value})
            assert MARK not in published
            assert published.isprintable()
            refused += bool(published)
    assert refused > len(wrong)


def with_password(name: str, password: str, port: int, scheme: str = "") -> dict[str, str]:
    """Return a setting whose address contains the password; nothing listens there."""
    scheme = scheme or SCHEMES[name][0]
    if name == "FILES_URL":
        bucket = f"{scheme}://pengguna:{password}@ember/x"
        return {name: f"{bucket}?endpoint=http://127.0.0.1:{port}"}
    end = "/0" if name == "REDIS_URL" else "/x"
    return {name: f"{scheme}://pengguna:{password}@127.0.0.1:{port}{end}"}


COMMANDS = (
    ("sync", "check"),
    ("siswa", "import", "--from-api"),
    ("queue", "doctor"),
    ("queue", "doctor", "--json"),
    ("queue", "monitor", "--once"),
    ("sync", "start"),
    ("user", "list"),
    ("db", "current"),
)


@pytest.mark.parametrize("password", PASSWORDS)
@pytest.mark.parametrize(
    ("name", "scheme"),
    [
        ("PEMBAYARAN_API_URL", "http"),
        ("DATABASE_URL", "postgresql"),
        ("DATABASE_URL", "mariadb"),
        ("REDIS_URL", "redis"),
    ],
)
def test_no_command_prints_a_password(
    settings: dict[str, str], valkey: redis.Redis, name: str, scheme: str, password: str
) -> None:
    env = {**settings, **with_password(name, password, any_free(), scheme)}
    if said := error_of(env):
        assert MARK not in said
        return
    app = create_app(config.load(env))
    for words in COMMANDS:
        done = app.test_cli_runner().invoke(args=words)
        trace = repr(done.exception) if done.exc_info and done.exit_code == 1 else ""
        said += done.output + redaction.hide(trace)
    assert MARK not in said
    assert "127.0.0.1" in said


@pytest.mark.parametrize("call", ["fail()", "threading.Thread(target=fail).start()"])
def test_a_traceback_contains_no_password(settings: dict[str, str], call: str) -> None:
    code = (
        "from myukm import create_app; create_app(); import os, threading\n"
        "def fail(): raise KeyError('cannot read ' + os.environ['REDIS_URL'])\n" + call
    )
    address = f"redis://:{MARK}xyz@127.0.0.1:1/0"
    done = subprocess.run(
        [str(BIN / "python"), "-c", code],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**settings, "REDIS_URL": address, "PATH": "/usr/bin:/bin"},
    )
    assert "KeyError: 'cannot read redis://…@127.0.0.1:1/0'" in done.stderr
    assert MARK not in done.stderr


def test_passwords_in_log_lines_of_libraries_are_hidden(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    url = f"https://pengguna:{MARK}@api.kampus.ac.id/v1"
    hook = "https://hooks.kampus.ac.id/a-secret-hook"
    redaction.register_secrets(
        {
            "PEMBAYARAN_API_URL": url,
            "ALERT_WEBHOOK_URL": hook,
            "PEMBAYARAN_API_TOKEN": "tk-19021",
            "METRICS_TOKEN": "",
        }
    )
    log = logging.getLogger("somebody.else")
    try:
        requests.get(url.replace("https", "nonsense"), timeout=1)
    except requests.RequestException:
        log.exception("it said")
    log.warning("cannot reach %s, nor %s, nor redis://x:p@%s@h", url, hook, MARK)
    log.warning("the password %s is wrong", MARK)
    log.warning("this has %d arguments")
    log.warning("header Authorization: Bearer tk-19021")
    assert "…@api.kampus.ac.id" in caplog.text
    assert "a-secret-hook" not in caplog.text
    assert "Bearer …" in caplog.text
    assert MARK not in caplog.text


def test_passwords_in_log_lines_of_gunicorn_and_rq_are_hidden(
    settings: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    url = f"http://pengguna:{MARK}@api.kampus.ac.id"
    create_app(config.load({**settings, "PEMBAYARAN_API_URL": url}))
    try:
        raise OSError(f"cannot parse {url}")  # noqa: TRY301 (as a library would)
    except OSError:
        logging.getLogger("gunicorn.error").exception("it said\n%s", url)
    logging.getLogger("rq.worker").warning("Traceback:\n  %s", url)
    assert "it said\\nhttp://…@api.kampus.ac.id" in caplog.text
    assert "Traceback:\n  http://…@api.kampus.ac.id" in caplog.text
    assert MARK not in caplog.text


def test_the_error_of_a_failed_job_contains_no_password(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    redaction.register_secrets({"DATABASE_URL": f"postgresql://u:{MARK}@h/d"})

    @jobs.with_app_context
    def job() -> None:
        cause = OSError(f"cannot parse postgresql://u:{MARK}@h/d")
        raise KeyError("it failed") from cause

    jobs.set_worker_app(app)
    with pytest.raises(RuntimeError) as caught:
        job()
    assert "KeyError" in str(caught.value)
    assert MARK not in repr(caught.getrepr())


def test_the_api_is_named_without_its_password(app: Flask) -> None:
    url = f"http://pengguna:{MARK}@127.0.0.1:{any_free()}"
    app.config["PEMBAYARAN_API_URL"] = url
    with app.test_request_context(), pytest.raises(Unavailable) as caught:
        api_source.fetch()
    assert "http://127.0.0.1" in str(caught.value)
    assert MARK not in str(caught.value)


def test_web_and_worker_show_and_log_no_password(
    settings: dict[str, str], tmp_path: Path, app: Flask, start: Callable[..., Program]
) -> None:
    """With every server unreachable: pages, health, metrics, findings and both logs."""
    for name in SCHEMES.keys() - {"PUBLIC_URL"}:  # which may hold no password
        settings |= with_password(name, f"{MARK}%40x", any_free())
    settings["ALERT_EMAIL_TO"] = "a@kampus.ac.id"
    web = WebServer(tmp_path / "away.log", settings)
    worker = start("python", "worker.py", "--verbose")
    try:
        published = "".join(
            requests.get(web.url + path, timeout=20).text
            for path in ("/healthz", "/readyz", "/metrics", "/login", "/admin/antrian")
        )
        posted = requests.post(f"{web.url}/login", json={"nim": "1", "password": "x"}, timeout=20)
        wait_until(lambda: "127.0.0.1" in worker.output(), 30, "the worker complains")
    finally:
        web.kill()
        worker.kill()
    for text in (published, posted.text, web.output(), worker.output()):
        assert MARK not in text


def test_the_doctor_reports_no_password(settings: dict[str, str], app: Flask) -> None:
    for name in SCHEMES.keys() - {"DATABASE_URL", "PUBLIC_URL"}:
        settings |= with_password(name, f"{MARK}%2Fx", any_free())
    away = create_app(config.load(settings))
    with away.test_request_context():
        report = doctor.report()
    assert "valkey_unreachable" in {finding["code"] for finding in report["findings"]}
    assert MARK not in str(report)
