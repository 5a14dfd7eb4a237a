"""The web interface: pages and JSON calls, one blueprint per subject."""

from flask import Flask

from myukm.web import chat, health, stream
from myukm.web.account import auth, photos, profile, register, reset_password
from myukm.web.admin import (
    audit,
    change_labels,
    queues,
    siswa,
    sync,
    sync_runs,
    tunggakan,
    ukm,
    users,
    users_import,
)
from myukm.web.http import (
    compression,
    deadlocks,
    errors,
    refusals,
    request_parsing,
    security,
    static_files,
    template_filters,
)
from myukm.web.ukm import memberships

BLUEPRINTS = (
    auth,
    register,
    reset_password,
    memberships,
    chat,
    profile,
    photos,
    siswa,
    tunggakan,
    sync,
    sync_runs,
    queues,
    users,
    users_import,
    ukm,
    audit,
    stream,
    health,
)


def init_app(app: Flask) -> None:
    """Register blueprints, request guards and error handlers."""
    app.url_map.converters["int"] = request_parsing.RowId
    security.init_app(app)
    compression.init_app(app)
    refusals.init_app(app)
    errors.init_app(app)
    deadlocks.init_app(app)
    template_filters.init_app(app)
    static_files.init_app(app)
    change_labels.init_app(app)
    for module in BLUEPRINTS:
        app.register_blueprint(module.bp)
