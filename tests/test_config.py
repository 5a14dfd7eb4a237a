"""Settings: a wrong one stops the start with one line that names it."""

import pytest

import config

WRONG = {
    "REDIS_URL": ["localhost", "redis://", "redis://h/abc", "redis://h:port/0", "http://h"],
    "DATABASE_URL": [
        "postgres",
        "oracle://h/x",
        "sqlite://",
        "postgresql://",
        "sqlite:////srv/x.db?foo=1",
        "sqlite:////srv/x.db?timeout=lama",
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
    ],
    "REQUESTS_CA_BUNDLE": ["/tidak/ada.pem", __file__],
    "SSL_CERT_FILE": ["/tidak/ada.pem"],
    "PEMBAYARAN_API_TIMEOUT": ["0", "-1", "soon", "nan"],
    "PEMBAYARAN_API_TRIES": ["0", "1.5", "many"],
    "PEMBAYARAN_API_CONCURRENCY": ["0", "1001"],
    "MYUKM_ENV": ["prod"],
    "MYUKM_LANG": ["de"],
    "MYUKM_TIMEZONE": ["Mars/Olympus", "../etc/passwd"],
    "REGISTRATION": ["maybe"],
    "TRUSTED_PROXIES": ["-1", "all"],
    "SECRET_KEY": ["short"],
    "SMTP_URL": ["mail.kampus.ac.id"],
    "ALERT_EMAIL_TO": ["bendahara", "a@kampus.ac.id;b@kampus.ac.id", "a@kampus.ac.id, "],
    "PEMBAYARAN_API_TOKEN": ["Bearer abc", "rahasia\x00", "kunci\u2013baru"],
    "METRICS_TOKEN": ["a\nb"],
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
def test_a_wrong_value_is_one_line_that_names_the_setting(name: str, value: str) -> None:
    with pytest.raises(config.ConfigError) as caught:
        config.load({"SECRET_KEY": "x" * 40, name: value})
    assert str(caught.value).startswith(f"{name}: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("language", "said"), [({}, "bukan"), ({"MYUKM_LANG": "en"}, "is not")])
def test_the_line_is_in_the_operators_language(language: dict[str, str], said: str) -> None:
    for name in ("MYUKM_TIMEZONE", "TRUSTED_PROXIES", "REGISTRATION"):
        with pytest.raises(config.ConfigError, match=said):
            config.load({"SECRET_KEY": "x" * 40, name: "salah", **language})


def test_no_password_is_repeated_in_a_complaint() -> None:
    with pytest.raises(config.ConfigError) as caught:
        config.load({"REDIS_URL": "redis://user:geheim@host/abc"})
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize("userinfo", ["nama:geheim", "nama"])
def test_two_ways_to_log_in_to_the_payment_api_are_one_too_many(userinfo: str) -> None:
    given = {"SECRET_KEY": "x" * 40, "PEMBAYARAN_API_URL": f"https://{userinfo}@h/api"}
    assert config.load(given)["PEMBAYARAN_API_URL"] == f"https://{userinfo}@h/api"
    with pytest.raises(config.ConfigError, match="pilih salah satu") as caught:
        config.load(given | {"PEMBAYARAN_API_TOKEN": "kunci"})
    assert "geheim" not in str(caught.value)
    assert "kunci" not in str(caught.value)


@pytest.mark.parametrize("missing", ["SECRET_KEY", "PEMBAYARAN_API_URL", "PUBLIC_URL"])
def test_production_starts_with_nothing_missing(missing: str) -> None:
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
    ],
)
def test_we_choose_the_driver(given: str, driver: str) -> None:
    settings = config.load({"DATABASE_URL": given, "SECRET_KEY": "x" * 40})
    assert settings["SQLALCHEMY_DATABASE_URI"] == driver
