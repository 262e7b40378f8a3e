import tracemalloc

import pytest

from notify_server.domain.texts import Mail
from notify_server.errors import NotFound
from notify_server.services.audit import Change, Kind, Party
from notify_server.services.export import Export
from notify_server.storage.documents import new_id
from notify_server.storage.mails import Mails, content_id
from notify_server.storage.registry import Arrivals, Registry
from tests.builders import after, recipients
from tests.services.scene import Scene
from tests.storage.test_mails import N, a_mail


def test_mails_come_out_with_what_they_said(database, scene: Scene) -> None:
    said = Mail("Hello", "text")
    Mails(database).say([(content_id(N, said), said)], after(60))
    Mails(database).enter([a_mail("a", address="a@example.org", content=content_id(N, said))])
    scene.address("a")
    [mail] = [record for record in scene.services.export.of("a") if record["kind"] == "mail"]
    assert (mail["notification_id"], mail["address"], mail["message"]["text"]) == (N, "a@example.org", "text")


@pytest.fixture
def export(scene: Scene) -> Export:
    return scene.services.export


def test_a_person_comes_out_record_by_record_and_the_last_one_counts(scene: Scene, export: Export) -> None:
    scene.register("a")
    scene.register("b")
    notification = scene.accept("a", "b")
    scene.work()
    own = Change(Party(Kind.USER, "a"), "me.register", "PUT", Party(Kind.DEVICE, "phone"), ["token"], "192.0.2.7")
    line = scene.services.audit.begin(own)
    records = list(export.of("a"))
    assert [record["kind"] for record in records] == ["export", "profile", "device", "entry", "audit", "end"]
    first, _, device, entry, audit, last = records
    assert (first["user_id"], first["at"]) == ("a", "2026-11-20T12:00:00.000Z")
    assert device["target"] == "token:a:phone"
    assert (entry["notification_id"], entry["status"]) == (notification, "sent")
    assert entry["notification"]["message"]["title"] == "Booking confirmed"
    assert audit == {
        "kind": "audit",
        "id": line,
        "at": "2026-11-20T12:00:00.000Z",
        "actor": "user",
        "action": "me.register",
        "route": "PUT",
        "object": {"kind": "device", "id": "phone"},
        "fields": ["token"],
        "address": "192.0.2.7",
        "status": None,
    }
    assert last == {"kind": "end", "records": {"profile": 1, "device": 1, "entry": 1, "audit": 1}}


def test_nobody_is_not_found_before_anything_is_read_out(export: Export) -> None:
    with pytest.raises(NotFound):
        export.of("nobody")


def test_the_address_of_their_backend_is_not_theirs(scene: Scene, export: Export) -> None:
    about = Party(Kind.USER, "a")
    scene.services.audit.begin(Change(Party(Kind.CLIENT, "c1"), "users.mint", "POST", about, (), "192.0.2.9"))
    [_, line, _] = export.of("a")
    assert (line["actor"], line["object"], line["address"]) == ("client", {"kind": "user", "id": "a"}, None)


def test_what_names_them_and_waits_comes_out(scene: Scene, export: Export) -> None:
    waiting = scene.accept("a", "b", send_at=after(9999), category="booking")
    [_, record, end] = export.of("a")
    assert (record["kind"], record["notification_id"], record["category"]) == ("notification", waiting, "booking")
    assert (record["message"]["title"], record["send_at"]) == ("Booking confirmed", "2026-11-20T14:46:39.000Z")
    assert "b" not in record.values()
    assert end["records"] == {"notification": 1}


def test_of_whom_only_a_device_or_an_entry_is_left_is_found(scene: Scene, export: Export) -> None:
    scene.register("a")
    scene.database["users"].delete_many({})
    assert [record["kind"] for record in export.of("a")] == ["export", "device", "end"]


def test_many_entries_are_read_in_flat_memory(scene: Scene, export: Export) -> None:
    entries = 10_000
    arrivals = [Arrivals(new_id(), None, recipients("a")) for _ in range(entries)]
    Registry(scene.database).insert(arrivals, scene.clock())
    records, count = export.of("a"), 0
    for _ in range(1000):
        next(records)
    tracemalloc.start()
    count = 1000 + sum(1 for _ in records)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == entries + 2
    assert peak < 4 * 1024 * 1024  # all of them at once are more than 10 MiB
