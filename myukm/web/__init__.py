"""The web interface: one blueprint per part of the program."""

from flask import Flask

from myukm.web import (
    admin_audit,
    admin_queues,
    admin_siswa,
    admin_sync,
    admin_sync_runs,
    admin_ukm,
    admin_users,
    admin_users_import,
    arguments,
    auth,
    change_words,
    chat,
    deadlocks,
    errors,
    formats,
    health,
    photos,
    profile,
    refusals,
    register,
    reset_password,
    security,
    static_files,
    stream,
    ukm,
)

PARTS = (
    auth,
    register,
    reset_password,
    ukm,
    chat,
    profile,
    photos,
    admin_siswa,
    admin_sync,
    admin_sync_runs,
    admin_queues,
    admin_users,
    admin_users_import,
    admin_ukm,
    admin_audit,
    stream,
    health,
)


def init_app(app: Flask) -> None:
    """Register the blueprints, the guards before them and the error pages."""
    app.url_map.converters["int"] = arguments.RowId
    app.json = arguments.StrictJson(app)
    security.init_app(app)
    refusals.init_app(app)
    errors.init_app(app)
    deadlocks.init_app(app)
    formats.init_app(app)
    static_files.init_app(app)
    change_words.init_app(app)
    for part in PARTS:
        app.register_blueprint(part.bp)
