"""The peer of bench/chat.py: the same program, but POST publishes by itself, without job or log.

gunicorn bench.direct:app
"""

from typing import Any

from myukm import create_app
from myukm.database import utcnow
from myukm.domain.chat import broadcast, chat
from myukm.live import wake
from myukm.models import ChatMessage, User

_store, _post = chat._store, chat.post


def store(*args: Any) -> ChatMessage:
    """Store a message that nobody will publish later."""
    message = _store(*args)
    message.published_at = utcnow()
    return message


def post(user: User, code: str, *args: Any) -> tuple[ChatMessage, bool]:
    """Store, commit, and send to the hubs before the answer."""
    message, new = _post(user, code, *args)
    wake.tell(broadcast.topic(code), "chat.message", message.as_json())
    return message, new


chat._store, chat.post = store, post
chat.broadcast_later = lambda _ukm_id: None
app = create_app()
