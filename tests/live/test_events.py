"""Program, pages and docs list the same events, and payloads conform to their schemas."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
import yaml
from flask import Flask
from flask.testing import FlaskClient
from jsonschema_rs import validator_for

from myukm.db.session import transaction
from myukm.domain.accounts import administration as accounts
from myukm.domain.accounts import photos
from myukm.domain.actor import Actor
from myukm.domain.chat import broadcast, messages, pins, reactions, reports
from myukm.domain.exports import progress, requests, writing
from myukm.domain.presence import tracker
from myukm.domain.sync import commands, student_requests
from myukm.domain.ukm import (
    administration,
    directory,
    join_requests,
    memberships,
    moderation,
    notification_settings,
    unread,
)
from myukm.extensions import db
from myukm.live import event_log, pubsub
from myukm.live.events import EVENTS
from myukm.models import ChatMessage, User
from myukm.ops.alerts.monitor import record_of
from myukm.ops.alerts.records import Records
from myukm.ops.findings import Finding
from myukm.ops.health_publisher import HealthPublisher
from myukm.ops.history.sampler import Sampler
from tests.support import pictures, sync
from tests.support.people import UKM

ROOT = Path(__file__).parents[2]
API = yaml.load((ROOT / "docs/api.yaml").read_text(), yaml.CSafeLoader)
STREAM = API["paths"]["/stream"]["get"]
TOPICS = {"ukm": "`ukm:CODE`", "user": "`me`"}
People = dict[str, int]


def test_the_javascript_lists_heartbeats_and_every_event_with_a_topic() -> None:
    text = (ROOT / "myukm/static/js/live/event_types.js").read_text()
    lists = text.partition("TYPES")[0].split("TRANSIENT")
    replayed, transient = (set(re.findall(r'"([\w.]+)"', part)) for part in lists)
    assert replayed == {name for name, known in EVENTS.items() if known.replayed}
    assert transient == {"heartbeat"} | {
        name for name, known in EVENTS.items() if known.topics and not known.replayed
    }


def test_the_docs_list_every_event_with_its_topic_and_replay() -> None:
    found = set()
    for line in STREAM["description"].splitlines()[2:]:
        if line.startswith("|"):
            _, names, topic, _, replayed, _ = line.split("|")
            found |= {
                (name, topic.strip(), replayed.strip() == "yes")
                for name in re.findall(r"`(.*?)`", names)
            }
    assert found == {
        (name, TOPICS.get(kind, f"`{kind}`" if kind else ""), known.replayed)
        for name, known in EVENTS.items()
        for kind in known.topics or ("",)
    }


def test_every_event_has_a_schema() -> None:
    schemas = STREAM["responses"]["200"]["content"]["text/event-stream"]["x-events"]
    named = {name: schema["$ref"].rpartition("/")[2] for name, schema in schemas.items()}
    assert named == {name: known.schema for name, known in EVENTS.items()}
    assert set(named.values()) <= set(API["components"]["schemas"])


@pytest.mark.parametrize(
    ("topic", "kind"),
    [("ukm:ROBOTIK", "chat.massage"), ("user:1", "chat.message"), ("ukm:ROBOTIK", "unread")],
)
def test_an_unlisted_event_is_an_error(app: Flask, topic: str, kind: str) -> None:
    with app.app_context():
        with pytest.raises(ValueError, match="not in the list"):
            pubsub.publish_transient(topic, kind, {})
        with transaction(), pytest.raises(ValueError, match="not in the list"):
            event_log.append(topic, kind, {})


def test_every_event_conforms_to_its_schema(
    app: Flask, people: People, valkey: redis.Redis, client_as: Callable[[str], FlaskClient]
) -> None:
    channel = valkey.pubsub()
    channel.subscribe(pubsub.CHANNEL)
    with app.app_context():
        chat(people)
        manage(people)
        administer()
        accounts.set_role(Actor("Siti", people["admin"]), people["friend"], "operator")
    events = [*published(channel), *streamed(app, client_as("admin"))]
    assert {kind for kind, _ in events} == set(EVENTS)
    for kind, data in events:
        check(EVENTS[kind].schema, data)


def check(name: str, data: Any) -> None:
    """Assert that `data` conforms to the schema `name` and has no other properties."""
    schema = {"$ref": f"#/components/schemas/{name}", "components": API["components"]}
    validator_for(schema).validate(data)
    assert set(data) <= set(API["components"]["schemas"][name]["properties"]), name


def chat(people: People) -> None:
    """Publish the events of the chat."""
    member, friend = db.session.get_one(User, people["member"]), people["friend"]
    administration.add(UKM, "admin1", is_admin=True, by=Actor("Siti"))
    first, _ = messages.post(member, UKM, "Halo", "c1")
    broadcast.broadcast(first.ukm_id)
    second, _ = messages.post(member, UKM, "@Farhan Halo", "c2", first.id)
    reactions.add(friend, UKM, second.id, "👍")
    messages.edit(member.id, UKM, second.id, "Hai")
    reports.report(friend, UKM, second.id, "kasar")
    messages.delete(member.id, UKM, second.id)
    photos.change(member, pictures.half_red(), "image/jpeg")
    membership = memberships.get_membership(member.id, UKM)
    notification_settings.set_level(membership, "mentions")
    tracker.typing(membership)
    tracker.connect([(member.id, "c")])
    tracker.broadcast(member.id)


def manage(people: People) -> None:
    """Publish the events of a UKM's administration."""
    campus = Actor(user_id=people["admin"], name="Siti", campus=True)
    friend = people["friend"]
    pins.pin_text(campus, UKM, "Rapat hari Senin")
    first = db.session.query(ChatMessage.id).order_by(ChatMessage.id).first()
    unread.mark_read(memberships.get_membership(friend, UKM), first[0])
    directory.describe(campus, UKM, "Robot", listed=True)
    for decide in (join_requests.refuse, join_requests.accept):
        who = people["outsider" if decide is join_requests.refuse else "bendahara"]
        join_requests.ask(who, UKM)
        decide(campus, UKM, who)
    moderation.mute(campus, UKM, friend, moderation.mute_until("1h", None))
    moderation.unmute(campus, UKM, friend)
    moderation.promote(campus, UKM, friend)
    moderation.demote(campus, UKM, friend)
    memberships.leave(friend, UKM)
    memberships.join(friend, UKM)
    moderation.remove(campus, UKM, friend, block=True)


def administer() -> None:
    """Publish the events of sync, alerts, queues and exports."""
    sync.create_students(3)
    commands.start(sync.TREASURER)
    commands.pause(sync.TREASURER)
    with transaction():
        student_requests.publish("1", "unchanged", None, "Sama")
    known, finding = Records(), Finding("no_worker", "broken", "Tidak ada worker", "Jalankan")
    known.put(record_of("no_worker", finding))
    known.resolve("no_worker")
    known.store()
    HealthPublisher().publish()
    Sampler().run()
    export(db.session.query(User).filter_by(role="bendahara").one().id)


def export(user_id: int) -> None:
    new = requests.request(user_id, "csv", "", 3)
    progress.publish(new)
    writing.write(new.id)


def published(channel: redis.client.PubSub) -> Iterator[tuple[str, Any]]:
    """Yield type and data of the events that were published in Valkey."""
    while message := channel.get_message(timeout=1):
        if message["type"] == "message":
            for _, topic, kind, text in json.loads(message["data"]):
                if topic != "rights":
                    yield kind, json.loads(text)


def streamed(app: Flask, client: FlaskClient) -> Iterator[tuple[str, Any]]:
    """Yield type and data of a stream's events from `reset`, by an unknown cursor, to `bye`."""
    response = client.get("/stream?cursor=999999")
    chunks = response.iter_encoded()
    sent = next(chunks)
    app.extensions["live_hub"].close()
    text = b"".join([sent, *chunks]).decode()
    response.close()
    for kind, data in re.findall(r"^event: (.*)\ndata: (.*)$", text, re.MULTILINE):
        yield kind, json.loads(data)
