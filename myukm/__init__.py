"""MyUKM: payment sync and UKM chat for a campus."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flask import Flask


def create_app(
    config: Mapping[str, Any] | None = None, *, interfaces: bool = True, commands: bool = True
) -> Flask:
    """Create the app. `config` replaces the settings that `config.load()` would read.

    Without `interfaces` the app has neither pages nor commands, because plain `rq worker` creates
    the app in every job, and pages and commands would double that time. Without `commands` it has
    only pages, which saves memory in a web server.
    """
    from flask import Flask

    import config as settings
    from myukm.logs import records, redaction
    from myukm.private_files import keep_private

    keep_private(settings.INSTANCE)
    app = Flask(__name__, instance_path=str(settings.INSTANCE))
    app.config.from_mapping(settings.load() if config is None else config)
    redaction.register_secrets(app.config)
    records.init_app()
    connect(app)
    if interfaces:
        from myukm import web

        web.init_app(app)
    if interfaces and commands:
        add_commands(app)
    return app


def connect(app: Flask) -> None:
    """Connect the app to the database and Valkey, and register the extensions that every kind of
    process needs."""
    from werkzeug.middleware.proxy_fix import ProxyFix

    import myukm.models  # noqa: F401 (registers the tables)
    from myukm import i18n, ops, storage
    from myukm.db.engine import engine_options, prepare_engine
    from myukm.db.versions import newest_migration
    from myukm.extensions import connect_valkey, db, login_manager
    from myukm.rate_limiting import limiter

    uri = app.config["SQLALCHEMY_DATABASE_URI"]
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = engine_options(uri)
    if proxies := app.config["TRUSTED_PROXIES"]:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=proxies
        )
    db.init_app(app)
    prepare_engine(app)
    connect_valkey(app)
    newest_migration()  # read now, because an upgrade replaces the files while this process runs
    for each in (login_manager, limiter, i18n, ops, storage):
        each.init_app(app)


def add_commands(app: Flask) -> None:
    """Register our commands and those of Flask-Migrate."""
    from myukm import cli
    from myukm.db.migrate import migrate
    from myukm.extensions import db

    migrate.init_app(app, db)
    cli.init_app(app)
