"""Writing a world straight into the database, by as many processes as there are cores."""

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from multiprocessing import get_context
from random import Random

from bson import ObjectId
from pymongo import WriteConcern

from notify_server.config import Config
from notify_server.domain.notification import Audience, Message, Notification, State
from notify_server.storage.database import connect
from notify_server.storage.documents import Document, Store, new_id
from notify_server.storage.notification_document import to_document
from scripts.filling.fates import entry
from scripts.filling.world import Sending, World

_CHUNK = 5000  # documents an insert
_DAY = 86_400  # seconds: the time to live


def fill(config: Config, world: World) -> tuple[int, int]:
    """Write people and a year of notifications. Returns how many notifications and entries."""
    database = connect(config)
    with database.client:
        _write_people(database, world)
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as pool:
        written = list(pool.map(partial(_write_day, config, world), range(world.days)))
    return sum(count for count, _ in written), sum(entries for _, entries in written)


def _write_people(database: Store, world: World) -> None:
    empty = {"email": None, "locale": None, "timezone": None, "muted": {"groups": [], "categories": []}}
    began = world.until - timedelta(days=world.days)
    users = (
        {"_id": user(number), "community": world.school_of(number), "groups": world.classes_of(number)}
        | empty
        | {"created_at": began, "updated_at": began}
        for number in range(world.people)
    )
    groups = ({"_id": f"class-{number:05}", "community": None, "created_at": began} for number in range(world.classes))
    _insert(database, "users", users)
    _insert(database, "groups", groups)


def user(number: int) -> str:
    """The id of a person."""
    return f"person-{number:06}"


def _write_day(config: Config, world: World, number: int) -> tuple[int, int]:
    """Called in a process of its own: notifications and entries of one day."""
    database = connect(config)
    with database.client:
        rng, notifications, entries = Random(number), 0, 0  # noqa: S311 - the same year each time
        kept: list[Document] = []
        pages: list[Document] = []
        for sending in world.day(number):
            document = _notification(sending, sending.at + timedelta(milliseconds=40))
            kept.append(document)
            pages += _entries(rng, sending, document["_id"])
            notifications, entries = notifications + 1, entries + len(sending.users)
            if len(pages) >= _CHUNK:
                _insert(database, "registry", iter(pages))
                pages = []
        _insert(database, "registry", iter(pages))
        _insert(database, "notifications", iter(kept))
        return notifications, entries


def _notification(sending: Sending, entered: datetime) -> Document:
    """The document of a notification that is over."""
    named = tuple(user(number) for number in sending.users) if len(sending.users) == 1 else ()
    school = sending.group is None and not named and not sending.everyone
    audience = Audience(
        users=named,
        groups=(sending.group,) if sending.group else (),
        communities=(sending.community,) if school and sending.community else (),
        everyone=sending.everyone,
    )
    made = Notification(
        id=new_id(sending.at),
        message=Message("Notification", f"About {sending.category}"),
        audience=audience,
        created_at=sending.at,
        state=State.DONE,
        category=sending.category,
        community=sending.community,
        ttl=_DAY,
    )
    over = {"recipients": len(sending.users), "expanded": True, "open": False, "cursor": user(sending.users[-1])}
    return to_document(replace(made)) | over | {"due_at": entered}


def _entries(rng: Random, sending: Sending, n: ObjectId) -> Iterator[Document]:
    groups = [sending.group] if sending.group else []
    for place, number in enumerate(sending.users):
        entered = sending.at + timedelta(milliseconds=40 + place // 500 * 30)
        yield entry(rng, (n, user(number)), groups, sending.category, entered)


def _insert(database: Store, name: str, documents: Iterator[Document]) -> None:
    collection = database.get_collection(name, write_concern=WriteConcern(w=1))
    chunk: list[Document] = []
    for document in documents:
        chunk.append(document)
        if len(chunk) == _CHUNK:
            collection.insert_many(chunk, ordered=False)
            chunk = []
    if chunk:
        collection.insert_many(chunk, ordered=False)
