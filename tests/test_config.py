"""Settings: a wrong one stops the start with one line that names it."""

from pathlib import Path

import pytest

import config
from myukm.settings import sources

WRONG = {
    "REDIS_URL": [
        "localhost",
        "redis://",
        "redis://h/abc",
        "redis://h:port/0",
        "http://h",
        "unix://run/valkey.sock",
        "unix://",
        "redis://h/0?timeout=5",
        "unix:///run/valkey.sock?db=satu",
    ],
    "PUBLIC_URL": [
        "ukm.kampus.ac.id",
        "https://ukm.kampus.ac.id/ukm",
        "https://ukm.kampus.ac.id/?a=1",
        "https://ukm.kampus.ac.id#a",
        "https://admin@ukm.kampus.ac.id",
        "https://admin:geheim@ukm.kampus.ac.id",
        "https://ukm.kampus.ac.id:https",
        "https://ukm kampus.ac.id",
        "https://" + "ä" * 70 + ".id",
        "https://",
    ],
    "DATABASE_URL": [
        "postgres",
        "oracle://h/x",
        "sqlite://",
        "postgresql://",
        "postgresql:///",
        "mariadb:///myukm",
        "sqlite:////srv/x.db?foo=1",
        "sqlite:////srv/x.db?timeout=lama",
        "sqlite:///file:/srv/x.db?uri=true",
        "postgresql://h/x?foo=1",
        "mariadb://h/x?foo=1",
    ],
    "PEMBAYARAN_API_URL": [
        "api.kampus.ac.id",
        "ftp://h",
        "http://",
        "http://h/api?key=abc",
        "http://h/api#x",
        "http://h/?",
        "http://h/a b",
    ],
    "REQUESTS_CA_BUNDLE": ["/tidak/ada.pem", __file__],
    "SSL_CERT_FILE": ["/tidak/ada.pem"],
    "PEMBAYARAN_API_TIMEOUT": ["0", "-1", "soon", "nan"],
    "PEMBAYARAN_API_TRIES": ["0", "1.5", "many"],
    "PEMBAYARAN_API_CONCURRENCY": ["0", "1001"],
    "MYUKM_ENV": ["prod"],
    "MYUKM_LANG": ["de"],
    "SYNC_SCHEDULE": ["tiap malam", "61 * * * *", "0 0 31 2 *", "@daily", "0 30 1 * * *"],
    "MYUKM_TIMEZONE": ["Mars/Olympus", "../etc/passwd"],
    "REGISTRATION": ["maybe"],
    "TRUSTED_PROXIES": ["-1", "all"],
    "SECRET_KEY": ["short"],
    "ALERT_URLS": ["ops@kampus.ac.id", "nobody-knows://x"],
    "HEARTBEAT_URL": ["hc-ping.com/1"],
    "SMTP_URL": ["mail.kampus.ac.id"],
    "ALERT_EMAIL_TO": ["bendahara", "a@kampus.ac.id;b@kampus.ac.id", "a@kampus.ac.id, "],
    "PEMBAYARAN_API_TOKEN": ["Bearer abc", "rahasia\x00", "kunci\u2013baru"],
    "METRICS_TOKEN": ["a\nb"],
    "FILES_URL": [
        "/srv/files",
        "file://srv/files",
        "http://h/x",
        "file:///srv/x?y=1",
        "s3://",
        "s3://b?host=x",
        "s3://KEY:a#b@bucket/x",
        "s3://KEY:a[b@bucket",
        "s3://K]Y:ab@bucket",
        "s3://KEY:a\tb@bucket",
    ],
    "MYUKM_BIND": ["127.0.0.1", "127.0.0.1:99999", "127.0.0.1:5000,", "http://127.0.0.1:5000"],
    "FILES_MAX_MB": ["0", "besar"],
    "FILES_PERSON_MB": ["0"],
    "FILES_UKM_MB": ["-1"],
    "PROCESS_MEMORY_MB": ["63", "much"],
}


WRONG["REDIS_URL"] += [
    "sentinel://h",
    "sentinel://h:99999/k",
    "sentinel://h,/k",
    "sentinel://h/k/x",
]


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in WRONG.items() for value in values]
)
def test_a_wrong_value_is_refused_in_one_line_that_names_the_setting(name: str, value: str) -> None:
    with pytest.raises(config.ConfigError) as caught:
        config.load({"SECRET_KEY": "x" * 40, name: value})
    assert str(caught.value).startswith(f"{name}: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("language", "said"), [({}, "bukan"), ({"MYUKM_LANG": "en"}, "is not")])
def test_the_line_is_in_the_operators_language(language: dict[str, str], said: str) -> None:
    for name in ("MYUKM_TIMEZONE", "TRUSTED_PROXIES", "REGISTRATION"):
        with pytest.raises(config.ConfigError, match=said):
            config.load({"SECRET_KEY": "x" * 40, name: "salah", **language})


@pytest.mark.parametrize(
    ("given", "origin"),
    [
        ("https://Kampus.Example", "https://kampus.example"),
        ("HTTPS://kampus.example:443/", "https://kampus.example"),
        ("http://kampus.example:80", "http://kampus.example"),
        ("http://kampus.example:443", "http://kampus.example:443"),
        ("https://kampus.example:8443/", "https://kampus.example:8443"),
        ("https://kämpus.example", "https://xn--kmpus-gra.example"),
        ("http://[::1]:5000", "http://[::1]:5000"),
    ],
)
def test_the_public_url_is_an_origin_as_browsers_write_it(given: str, origin: str) -> None:
    assert config.load({"PUBLIC_URL": given, "SECRET_KEY": "x" * 40})["PUBLIC_URL"] == origin


def test_a_relative_sqlite_file_is_in_the_instance_folder() -> None:
    """Otherwise commands would open another file than the web server, by the current folder."""
    loaded = config.load({"DATABASE_URL": "sqlite:///kampus.db", "SECRET_KEY": "x" * 40})
    assert loaded["SQLALCHEMY_DATABASE_URI"] == f"sqlite:///{sources.INSTANCE / 'kampus.db'}"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REDIS_URL", "unix:///run/valkey.sock"),
        ("REDIS_URL", "unix://u:p@/run/valkey.sock?db=1"),
        ("REDIS_URL", "rediss://h/0?ssl_cert_reqs=none"),
        ("DATABASE_URL", "postgresql:///myukm"),
        ("DATABASE_URL", "postgresql://u@/db?host=/run/postgresql"),
        ("DATABASE_URL", "mariadb://u@/db?unix_socket=/run/mysqld/mysqld.sock"),
        ("DATABASE_URL", "sqlite:////srv/my ukm/myukm.db"),
    ],
)
def test_an_address_may_be_a_socket_or_a_file(name: str, value: str) -> None:
    assert config.load({name: value, "SECRET_KEY": "x" * 40})[name] == value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REDIS_URL", "redis://user:geheim@host/abc"),
        ("REDIS_URL", "redis://user:ge/heim@host/0"),
        ("REDIS_URL", "unix://user:geheim@host"),
        ("REDIS_URL", "redis://host/0?password=geheim&x=1"),
        ("REDIS_URL", "sentinel://user:geheim@h:x/NAMA"),
        ("DATABASE_URL", "postgresql://u:ge@heim@h/d"),
        ("DATABASE_URL", "postgresql://u:geheim@"),
        ("DATABASE_URL", "mariadb://u:geheim/@h:x/d"),
        ("DATABASE_URL", "postgresql://h/d?password=geheim&foo=1"),
        ("PUBLIC_URL", "https://user:geheim@h"),
        ("PUBLIC_URL", "https://h/?token=geheim"),
        ("SMTP_URL", "mailto:user:geheim@h"),
        ("SMTP_URL", "smtp://user:ge/heim@h:x"),
        ("PEMBAYARAN_API_URL", "http://user:ge@heim@h/?x"),
        ("PEMBAYARAN_API_URL", "http//user:geheim@h"),
        ("PEMBAYARAN_API_URL", "http://h/api?key=geheim"),
        ("ALERT_WEBHOOK_URL", "ftp://h/geheim"),
        ("HEARTBEAT_URL", "ftp://h/geheim"),
        ("ALERT_URLS", "json://h/ok unknown://geheim"),
    ],
)
def test_error_messages_contain_no_password(name: str, value: str) -> None:
    with pytest.raises(config.ConfigError) as caught:
        config.load({name: value, "SECRET_KEY": "x" * 40})
    assert "heim" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("MYUKM_LANG=en\n# Zoë\n".encode("latin-1"), "UTF-8"),
        ("MYUKM_LANG=en\n".encode("utf-16"), "UTF-8"),
        (b"MYUKM_LANG=en\n\nSECRET_KEY geheim\n", "baris 3"),
        (b"MYUKM_LANG=en\r\n \r\n=geheim\r\n", "baris 3"),
        (None, "tidak dapat dibaca"),
    ],
)
def test_an_unreadable_settings_file_is_refused_in_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None, said: str
) -> None:
    monkeypatch.setattr(sources, "ROOT", tmp_path)
    if content is None:
        (tmp_path / ".env").mkdir()
    else:
        (tmp_path / ".env").write_bytes(content)
    with pytest.raises(config.ConfigError, match=said) as caught:
        config.load()
    assert "\n" not in str(caught.value)
    assert "geheim" not in str(caught.value)


def test_a_settings_file_may_begin_with_a_byte_order_mark(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sources, "ROOT", tmp_path)
    (tmp_path / ".env").write_bytes("\ufeffMETRICS_TOKEN=abc\r\n".encode())
    assert config.load()["METRICS_TOKEN"] == "abc"


@pytest.mark.parametrize("userinfo", ["nama:geheim", "nama"])
def test_a_token_and_a_user_for_the_payment_api_are_refused(userinfo: str) -> None:
    given = {"SECRET_KEY": "x" * 40, "PEMBAYARAN_API_URL": f"https://{userinfo}@h/api"}
    assert config.load(given)["PEMBAYARAN_API_URL"] == f"https://{userinfo}@h/api"
    with pytest.raises(config.ConfigError, match="pilih salah satu") as caught:
        config.load(given | {"PEMBAYARAN_API_TOKEN": "kunci"})
    assert "geheim" not in str(caught.value)
    assert "kunci" not in str(caught.value)


@pytest.mark.parametrize("missing", ["SECRET_KEY", "PEMBAYARAN_API_URL", "PUBLIC_URL"])
def test_production_needs_each_required_setting(missing: str) -> None:
    whole = {
        "MYUKM_ENV": "production",
        "SECRET_KEY": "x" * 32,
        "PEMBAYARAN_API_URL": "https://api.kampus.ac.id",
        "PUBLIC_URL": "https://ukm.kampus.ac.id",
    }
    assert config.load(whole)["MYUKM_ENV"] == "production"
    with pytest.raises(config.ConfigError, match=f"^{missing}: .*{missing}="):
        config.load({k: v for k, v in whole.items() if k != missing})


@pytest.mark.parametrize(
    ("given", "driver"),
    [
        ("postgres://u@h/d", "postgresql+psycopg://u@h/d"),
        ("postgresql://u@h/d", "postgresql+psycopg://u@h/d"),
        ("mysql://u@h/d", "mysql+pymysql://u@h/d"),
        ("mariadb://u@h/d", "mysql+pymysql://u@h/d"),
        ("Postgres://u@h/d", "postgresql+psycopg://u@h/d"),
        ("postgresql://%2Frun%2Fpg/d", "postgresql+psycopg:///d?host=%2Frun%2Fpg"),
        (
            "postgresql://u:p@%2frun%2fpg/d?connect_timeout=2",
            "postgresql+psycopg://u:p@/d?host=%2frun%2fpg&connect_timeout=2",
        ),
    ],
)
def test_the_program_chooses_the_driver(given: str, driver: str) -> None:
    settings = config.load({"DATABASE_URL": given, "SECRET_KEY": "x" * 40})
    assert settings["SQLALCHEMY_DATABASE_URI"] == driver


def test_a_large_limit_is_written_with_all_its_digits() -> None:
    with pytest.raises(config.ConfigError, match=r"dari 64 sampai 1000000$"):
        config.load({"PROCESS_MEMORY_MB": "5"})
