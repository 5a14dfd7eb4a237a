"""The web interface: pages and JSON calls, one blueprint per subject."""

from flask import Flask

from myukm.web import chat, files, health, join_link, stream
from myukm.web.account import (
    auth,
    my_bills,
    notifications,
    photos,
    profile,
    register,
    reset_password,
)
from myukm.web.admin import (
    audit,
    change_labels,
    exports,
    failed_jobs,
    log,
    penerimaan,
    queue_pauses,
    queues,
    roster,
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
    home_screen,
    measurement,
    refusals,
    request_parsing,
    security,
    static_files,
    template_filters,
    unread_body,
)
from myukm.web.ukm import directory, export, memberships, push, search

BLUEPRINTS = (
    auth,
    register,
    reset_password,
    memberships,
    join_link,
    directory,
    search,
    chat,
    push,
    export,
    files,
    profile,
    notifications,
    my_bills,
    photos,
    siswa,
    roster,
    exports,
    tunggakan,
    penerimaan,
    sync,
    sync_runs,
    failed_jobs,
    queue_pauses,
    queues,
    log,
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
    # No view and no hook is async. Flask would check that for each of the eleven functions that it
    # calls per request.
    app.ensure_sync = lambda func: func  # type: ignore[method-assign]
    measurement.init_app(app)
    unread_body.init_app(app)
    security.init_app(app)
    compression.init_app(app)
    refusals.init_app(app)
    errors.init_app(app)
    deadlocks.init_app(app)
    template_filters.init_app(app)
    static_files.init_app(app)
    home_screen.init_app(app)
    change_labels.init_app(app)
    for module in BLUEPRINTS:
        app.register_blueprint(module.bp)
