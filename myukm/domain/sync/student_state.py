"""The reason why a requested student waits, in the reader's language."""

from flask_babel import gettext as _

from myukm.domain.payment_api.shared_state import Reason, wait_reason
from myukm.domain.sync import standstill_reason, student_requests


def waits_for(idperson: str) -> Reason | None:
    """Return the reason why the requested sync of a student waits, None without a request."""
    request = student_requests.find(idperson)
    if request is None:
        return None
    if reason := wait_reason():
        return reason
    if request.doubt is not None:
        text = _("API mengurangi tagihannya: %(text)s. Ditanya sekali lagi.", text=request.doubt)
        return Reason("asked_again", text)
    if request.holder is not None:
        return Reason("asking", _("API pembayaran sedang ditanya"))
    return standstill_reason.no_worker_reason() or Reason("turn", _("menunggu giliran"))
