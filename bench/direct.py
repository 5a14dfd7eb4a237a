"""The peer of bench/chat.py: the same program, but POST publishes by itself, without job or log.

gunicorn bench.direct:app
"""

from typing import Any

from myukm import create_app
from myukm.database import utcnow
from myukm.domain.chat import broadcast, chat
from myukm.live import wake
from myukm.models import ChatMessage, Membership, User

_store, _post = chat._store, chat.post


def store(place: Membership, user: User, body: str, client_id: str) -> ChatMessage:
    """Store a message that nobody will publish later."""
    message = _store(place, user, body, client_id)
    message.published_at = utcnow()
    return message


def post(user: User, code: str, text: Any, client_id: Any) -> tuple[ChatMessage, bool]:
    """Store, commit, and send to the hubs before the answer."""
    message, new = _post(user, code, text, client_id)
    wake.tell(broadcast.topic(code), "chat.message", message.as_json())
    return message, new


chat._store, chat.post = store, post
chat.broadcast_later = lambda _ukm_id: None
app = create_app()
