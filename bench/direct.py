"""The baseline of bench/chat.py: the same program, but POST publishes directly, without job or log.

gunicorn bench.direct:app
"""

from typing import Any

from myukm import create_app
from myukm.db.types import utcnow
from myukm.domain.chat import broadcast, messages
from myukm.live import pubsub
from myukm.live.events import to_json
from myukm.live.topics import ukm_topic
from myukm.models import ChatMessage, User

_draft, _post = messages._draft, messages.post


def draft(*args: Any) -> ChatMessage:
    """Return a message marked as published, so that nothing publishes it later."""
    message = _draft(*args)
    message.published_at = utcnow()
    return message


def post(user: User, code: str, *args: Any) -> tuple[ChatMessage, bool]:
    """Store, commit, and publish to the hubs before answering."""
    message, new = _post(user, code, *args)
    pubsub.publish([(None, ukm_topic(code), "chat.message", to_json(message.as_json()))])
    return message, new


vars(messages).update(_draft=draft, post=post)
vars(broadcast).update(broadcast_later=lambda _ukm_id: None)
app = create_app()
