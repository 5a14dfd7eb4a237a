"""The pages of failed jobs: by kind, the jobs of one kind, and one job."""

from typing import Any

import msgspec
from flask import Blueprint, render_template
from flask_babel import gettext as _

from myukm.db.session import transaction
from myukm.domain import activity
from myukm.domain.paging import page_and_pages
from myukm.errors import Invalid, NotFound
from myukm.queues import failed_jobs
from myukm.queues.failures import actions, detail, groups, index
from myukm.queues.jobs import QUEUES
from myukm.queues.state_labels import states
from myukm.web.http.access import ADMINS, OPERATORS, actor, roles
from myukm.web.http.answers import redirect_or_json
from myukm.web.http.body import takes
from myukm.web.http.request_parsing import limit_body, whole_number

bp = Blueprint("admin_failed_jobs", __name__, url_prefix="/admin/antrian")
bp.before_request(limit_body)
PAGE = "/admin/antrian/gagal"


class Action(msgspec.Struct):
    """What to do with failed jobs of a queue: one job, one group, or all if neither is named."""

    action: str
    queue: str
    group: str = ""
    job_id: str = ""


@bp.get("/gagal")
@roles(*OPERATORS)
def index_page() -> str:
    """Show the failures by kind, the largest first."""
    for name in QUEUES:
        index.refresh_newest(name)
    return render_template(
        "admin/queues/failed.html",
        groups=groups.all_groups(),
        counts={name: count for name, count in groups.counts().items() if count},
        ungrouped=sum(map(groups.ungrouped, QUEUES)),
        works=actions.works(),
    )


@bp.get("/gagal/<queue>/<group>")
@roles(*OPERATORS)
def group_page(queue: str, group: str) -> str:
    """Show the jobs of one kind, the newest first."""
    _require_queue(queue)
    found = groups.one(queue, group)
    page, pages = page_and_pages(whole_number("page") or 1, found.count, groups.SHOWN)
    return render_template(
        "admin/queues/failed_group.html",
        group=found,
        rows=groups.rows(found, (page - 1) * groups.SHOWN),
        page=page,
        pages=pages,
        example=_example(found.example),
    )


def _example(job_id: str) -> detail.JobDetail | None:
    """Return a group's newest job; None if it expired, which RQ's registry notices later."""
    try:
        return detail.read(job_id)
    except NotFound:
        return None


@bp.get("/pekerjaan/<job_id>")
@roles(*OPERATORS)
def job_page(job_id: str) -> str:
    """Show one job: its arguments, its runs and the trace of each."""
    return render_template("admin/queues/job.html", job=detail.read(job_id), states=states())


@bp.post("/gagal")
@roles(*ADMINS)
@takes(Action)
def act(sent: Action) -> Any:
    """Retry or discard failed jobs. A large number is processed in the background, and the page
    shows the progress."""
    _require_queue(sent.queue)
    if sent.action not in (actions.RETRY, actions.DISCARD):
        raise Invalid(_("Tindakan ini tidak ada."))
    if sent.job_id:
        verb, notice = _act_on_job(sent)
        about = sent.job_id
    else:
        work = actions.begin(sent.queue, sent.action, sent.group)
        actions.go_on(sent.queue)  # begins at once; the leader processes the rest
        verb = "queue.retry" if sent.action == actions.RETRY else "queue.clear"
        about, notice = f"{sent.queue} {sent.group or 'failed'}: {work.total}", None
    with transaction():
        activity.record(actor(), verb, about)
    return redirect_or_json(PAGE, notice=notice)


def _act_on_job(sent: Action) -> tuple[str, str]:
    """Retry or discard one job; return the action for the activity log, and the notice."""
    if sent.action == actions.RETRY:
        failed_jobs.retry([sent.job_id])
        return "queue.retry", _("Pekerjaan diantrikan lagi.")
    failed_jobs.discard([sent.job_id])
    return "queue.delete_job", _("Dihapus.")


def _require_queue(queue: str) -> None:
    if queue not in QUEUES:
        raise NotFound(_("Tidak ada antrian ini."))
