"""The baseline of bench/chat.py: the same program, but POST publishes directly, without job or log.

gunicorn bench.direct:app
"""

from typing import Any

from myukm import create_app
from myukm.db.types import utcnow
from myukm.domain.chat import messages
from myukm.live import pubsub
from myukm.live.topics import ukm_topic
from myukm.models import ChatMessage, User

_store, _post = messages._store, messages.post


def store(*args: Any) -> ChatMessage:
    """Store a message marked as published, so that no job publishes it later."""
    message = _store(*args)
    message.published_at = utcnow()
    return message


def post(user: User, code: str, *args: Any) -> tuple[ChatMessage, bool]:
    """Store, commit, and publish to the hubs before answering."""
    message, new = _post(user, code, *args)
    pubsub.publish_transient(ukm_topic(code), "chat.message", message.as_json())
    return message, new


vars(messages).update(_store=store, post=post, broadcast_later=lambda _ukm_id: None)
app = create_app()
