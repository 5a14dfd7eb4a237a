"""Error responses: a page in the app's layout, or JSON for JSON calls."""

import logging
from typing import Any

from flask import (
    Flask,
    Response,
    current_app,
    g,
    json,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
)
from flask_babel import gettext as _
from flask_login import AnonymousUserMixin, current_user
from sqlalchemy.exc import DataError, DBAPIError, ProgrammingError, SQLAlchemyError
from werkzeug.exceptions import HTTPException, InternalServerError, MethodNotAllowed

from myukm.db.availability import DATABASE_UNAVAILABLE, RETRY_SECONDS, is_unavailable
from myukm.errors import DomainError, Invalid, Unavailable
from myukm.extensions import db
from myukm.logs.outages import Outage
from myukm.ops.findings import database
from myukm.web.http.access import LoginRequired, wants_json
from myukm.web.http.security import DASHBOARD

logger = logging.getLogger(__name__)
outage = Outage(logger, "database")


def init_app(app: Flask) -> None:
    """Register the handlers."""
    app.register_error_handler(DomainError, domain_error)
    app.register_error_handler(HTTPException, http_error)
    for unavailable in DATABASE_UNAVAILABLE:
        app.register_error_handler(unavailable, database_error)
    app.register_error_handler(DBAPIError, driver_error)
    app.register_error_handler(ProgrammingError, statement_error)
    app.register_error_handler(DataError, data_error)
    app.register_error_handler(UnicodeEncodeError, data_error)


def domain_error(error: DomainError) -> Any:
    """Return a `DomainError`'s message, code and status."""
    g.refusal = error.code
    if wants_json():
        return jsonify(error.as_json()), error.status, error.headers
    if isinstance(error, LoginRequired):
        form = {"error": str(error), "nim": "", "next": page_above(request.path)}
        return render_template("auth/login.html", **form), error.status
    return page(error.status, str(error)), error.status, error.headers


def http_error(error: HTTPException) -> Response:
    """Return an HTTP error as a page or JSON. A bug's traceback is logged by Flask, never shown.

    A refused form leaves its address in the browser's address bar. If that address takes only POST,
    reloading it redirects to the page of the form.
    """
    status = error.code or 500
    is_form = isinstance(error, MethodNotAllowed) and not request.path.startswith(DASHBOARD)
    if is_form and request.method in ("GET", "HEAD") and not wants_json():
        return redirect(page_above(request.path))  # type: ignore[return-value]
    response = make_response(error.get_response())
    if wants_json():
        code = error.name.lower().replace(" ", "_")
        response.data = json.dumps({"error": {"code": code, "message": sentence(status)}})
        response.mimetype = "application/json"
    else:
        response.data = page(status, sentence(status))
    return response


def database_error(error: SQLAlchemyError) -> Any:
    """Return 503 for a database that is unreachable or outdated, and log the cause."""
    outage.failed(getattr(error, "orig", error))
    if not is_unavailable(error) and database.is_outdated():
        command = _("Jalankan: %(command)s", command="./run db upgrade")
        text = _("Program diperbarui, basis datanya belum.")
        return domain_error(Unavailable(f"{text} {command}", code="database_outdated"))
    return unavailable()


def unavailable() -> Any:
    """Return 503 for an unreachable database. The same call may succeed in a moment."""
    text = _("Basis data tidak menjawab. Coba lagi sebentar lagi.")
    code = "database_unavailable"
    return domain_error(Unavailable(text, code=code, retry_after=RETRY_SECONDS))


def driver_error(error: DBAPIError) -> Any:
    """Return 503 if the connection broke, which drivers report by various errors; otherwise 500,
    because it is a bug."""
    logger.error("%s %s", request.method, request.path, exc_info=error)
    broken = error.connection_invalidated or is_unavailable(error)
    return unavailable() if broken else http_error(InternalServerError())


def statement_error(error: ProgrammingError) -> Any:
    """Return 503 that names `./run db upgrade` if migrations are missing; otherwise 500, because it
    is a bug."""
    if database.is_outdated():
        return database_error(error)
    logger.error("%s %s", request.method, request.path, exc_info=error)
    return http_error(InternalServerError())


def data_error(_error: Exception) -> Any:
    """Refuse text that the database cannot store: NUL on PostgreSQL, lone surrogates, an id that
    is too long."""
    return domain_error(Invalid(_("Isian ini tidak bisa disimpan.")))


def page_above(path: str) -> str:
    """Return the path of the page whose form was sent to `path`: the nearest parent with a GET."""
    adapter = current_app.create_url_adapter(request)
    while adapter and (path := path.rpartition("/")[0]):
        for place in (path, f"{path}/manage"):
            if adapter.test(place, "GET"):
                return place
    return "/"


def page(status: int, message: str) -> str:
    """Return the error page's HTML, with the navigation for users who are logged in.

    For status 500 and above it does not load the user, because the database may be what failed.
    """
    shown = {"status": status, "message": message}
    if status < 500:
        try:
            layout = "base.html" if current_user.is_authenticated else "auth/_frame.html"
            return render_template("errors/error.html", layout=layout, **shown)
        except SQLAlchemyError:
            db.session.rollback()
    g._login_user = AnonymousUserMixin()
    return render_template("errors/error.html", layout="auth/_frame.html", **shown)


def sentence(status: int) -> str:
    """Return a sentence for an HTTP status."""
    sentences = {
        404: _("Halaman ini tidak ada."),
        405: _("Halaman ini tidak bisa dipanggil dengan cara itu."),
        413: _("Kiriman terlalu besar."),
        415: _("Kirimlah sebagai JSON."),
        429: _("Terlalu banyak percobaan. Tunggu sebentar lalu coba lagi."),
    }
    fallback = (
        _("Ada yang salah di pihak kami.") if status >= 500 else _("Permintaan tidak bisa dibaca.")
    )
    return str(sentences.get(status, fallback))
