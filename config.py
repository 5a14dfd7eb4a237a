"""Settings: the environment, then `.env`, then `instance/demo.env` while a demo runs.

`load()` checks every value once, at the start of a process. A wrong value raises `ConfigError` with
one line that names the variable and what it accepts. The line is in Indonesian, or in English with
`MYUKM_LANG=en`.
"""

import secrets
from collections.abc import Mapping
from typing import Any

from myukm.catalogue import N_
from myukm.settings.database import database
from myukm.settings.files import files_url
from myukm.settings.reader import ConfigError, Reader
from myukm.settings.secret import generated_secret
from myukm.settings.servers import payment_api, public_url, push, valkey, web_server
from myukm.settings.sources import INSTANCE, ROOT, environment

__all__ = ["INSTANCE", "ROOT", "ConfigError", "load"]


def load(environ: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the checked settings by name, for `app.config`.

    `environ` replaces the process environment and the files (for tests).
    Raises `ConfigError` for an unacceptable value.
    """
    env = Reader(environment() if environ is None else environ)
    mode = env.choice("MYUKM_ENV", "development", ("development", "production"))
    production = mode == "production"
    settings: dict[str, Any] = {
        "MYUKM_ENV": mode,
        "MYUKM_LANG": env.choice("MYUKM_LANG", "id", ("id", "en")),
        "MYUKM_TIMEZONE": env.timezone("MYUKM_TIMEZONE", "Asia/Jakarta"),
        "SCHOOL_NAME": env.text("SCHOOL_NAME"),
        "LOG_FORMAT": env.choice("LOG_FORMAT", "text", ("text", "json")),
        "REDIS_URL": valkey(env),
        "PUBLIC_URL": public_url(env),
        "PROCESS_MEMORY_MB": env.integer("PROCESS_MEMORY_MB", 1024, 64, 1_000_000),
        "TRUSTED_PROXIES": env.integer("TRUSTED_PROXIES", 0, 0, 10),
        "REGISTRATION": env.choice("REGISTRATION", "invite", ("invite", "open", "closed")),
        "HISTORY_KEEP_DAYS": env.integer("HISTORY_KEEP_DAYS", 365, 1, 36_500),
        "METRICS_TOKEN": env.token("METRICS_TOKEN"),
        "FILES_URL": files_url(env),
        "FILES_MAX_MB": env.integer("FILES_MAX_MB", 25, 1, 1000),
        "FILES_PERSON_MB": env.integer("FILES_PERSON_MB", 500, 1, 10_000_000),
        "FILES_UKM_MB": env.integer("FILES_UKM_MB", 5000, 1, 10_000_000),
    }
    settings |= _production_settings(env, production)
    settings |= payment_api(env) | _sync(env) | _alerts(env)
    settings |= push(env, production=production)
    settings |= database(env) | web_server(env)
    settings |= _session_cookie(settings["PUBLIC_URL"])
    return settings


def _sync(env: Reader) -> dict[str, Any]:
    """Return the settings of runs: requests to the payment API, schedule, and the guard against
    suspicious answers."""
    return {
        "PEMBAYARAN_API_TIMEOUT": env.number("PEMBAYARAN_API_TIMEOUT", 30, 0.1, 600),
        "PEMBAYARAN_API_TRIES": env.integer("PEMBAYARAN_API_TRIES", 3, 1, 20),
        "PEMBAYARAN_API_CONCURRENCY": env.integer("PEMBAYARAN_API_CONCURRENCY", 32, 1, 1000),
        "PEMBAYARAN_API_RPS": env.optional_number("PEMBAYARAN_API_RPS", 0.1, 100_000),
        "PEMBAYARAN_API_ETAG_HOURS": env.integer("PEMBAYARAN_API_ETAG_HOURS", 24, 0, 8_760),
        "SYNC_JOB_TIMEOUT": env.integer("SYNC_JOB_TIMEOUT", 600, 30, 86_400),
        "SYNC_LANE_TIMEOUT": env.integer("SYNC_LANE_TIMEOUT", 15, 5, 600),
        "SYNC_SCHEDULE": env.cron("SYNC_SCHEDULE"),
        "GUARD_SHARE": env.number("GUARD_SHARE", 0.2, 0, 1),
        "GUARD_MIN": env.integer("GUARD_MIN", 20, 1, 1_000_000),
    }


def _alerts(env: Reader) -> dict[str, Any]:
    """Return the receivers of alerts, and the address of the outside monitor."""
    return {
        "ALERT_WEBHOOK_URL": env.url("ALERT_WEBHOOK_URL", "", ("http", "https")),
        "ALERT_EMAIL_TO": env.emails("ALERT_EMAIL_TO"),
        "SMTP_URL": env.url("SMTP_URL", "", ("smtp", "smtps")),
        "ALERT_URLS": env.notifiers("ALERT_URLS"),
        "HEARTBEAT_URL": env.url("HEARTBEAT_URL", "", ("http", "https")),
    }


def _production_settings(env: Reader, production: bool) -> dict[str, Any]:
    secret = env.text("SECRET_KEY")
    if (secret and len(secret) < 32) or (production and not secret):
        example = f"SECRET_KEY={secrets.token_urlsafe(32)}"
        raise env.wrong(
            "SECRET_KEY",
            N_("wajib diisi, minimal 32 karakter, misalnya %(example)s"),
            example=example,
        )
    if production:
        _require(
            env,
            PEMBAYARAN_API_URL="https://pembayaran.kampus.ac.id/api",
            PUBLIC_URL="https://ukm.kampus.ac.id",
        )
    return {"SECRET_KEY": secret or generated_secret(env)}


def _require(env: Reader, **examples: str) -> None:
    """Raise `ConfigError` if a setting that production requires is missing."""
    for name, example in examples.items():
        if not env.text(name):
            raise env.wrong(
                name,
                N_("wajib diisi bila MYUKM_ENV=production, misalnya %(example)s"),
                example=f"{name}={example}",
            )


def _session_cookie(public_url: str) -> dict[str, Any]:
    return {
        "SESSION_COOKIE_NAME": "myukm",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_REFRESH_EACH_REQUEST": False,  # web/http/access.py refreshes it once a day
        "SESSION_COOKIE_SECURE": public_url.startswith("https://"),
        "MAX_CONTENT_LENGTH": 16 * 1024 * 1024,
    }
