import json

from notify_server.domain.audience import Recipient
from notify_server.domain.notification import Audience, Message
from notify_server.domain.texts import Mail, Text, Texts
from notify_server.domain.user_fields import UserField, mark
from notify_server.storage.devices import Devices
from notify_server.storage.documents import Store, new_id, object_id
from notify_server.storage.mails import Mails, content_id
from notify_server.storage.notifications import Notifications
from notify_server.storage.personal import Personal
from notify_server.storage.registry import Arrivals, Registry
from notify_server.storage.users import Users
from tests.builders import NOON, a_device, a_notification, after, recipients
from tests.storage.test_mails import N, a_mail


def test_everything_that_is_stored_of_a_person_comes_out_as_json(database: Store) -> None:
    Users(database).put("u1", {"email": "u1@example.org", "groups": ["g1"]}, NOON)
    Devices(database).register(a_device("u1"))
    made = a_notification(message=Message("Hello", data={"_k": "v"}), audience=Audience(("u1", "u2")))
    Notifications(database).add(made, None)
    Registry(database).insert([Arrivals(made.id, "booking", recipients("u1", "u2"))], after(1.5))
    personal = Personal(database)
    profile, [device], [entry] = personal.profile("u1"), personal.devices("u1"), personal.page("u1", None)
    assert profile is not None
    assert json.loads(json.dumps([profile, device, entry])) == [profile, device, entry]
    assert (profile["id"], profile["email"], profile["muted"]) == (
        "u1",
        "u1@example.org",
        {"groups": [], "categories": []},
    )
    assert profile.keys() - {"id"} == database["users"].find_one({}).keys() - {"_id"}  # type: ignore[union-attr]
    assert (device["id"], device["target"], device["registered_at"]) == (
        "phone",
        "token:u1:phone",
        "2026-11-20T12:00:00.000Z",
    )
    assert entry["history"] == [{"status": "pending", "at": "2026-11-20T12:00:01.500Z", "detail": None}]
    assert entry["notification"]["message"] == {
        "title": "Hello",
        "body": None,
        "image": None,
        "link": None,
        "data": {"_k": "v"},
    }
    assert "u2" not in json.dumps(entry)


def test_a_person_is_shown_what_they_were_sent_in_their_locale_and_with_their_fields(database: Store) -> None:
    Users(database).put("u1", {"email": "u1@example.org"}, NOON)
    locales = {"en": Text("Hello"), "de": Text(f"Hallo {mark(UserField.EMAIL)}", f"{mark(UserField.ID)}")}
    texts = Texts("t", 1, "en", locales, frozenset({UserField.EMAIL}))
    made = a_notification(texts=texts, message=Message("Hello", link="https://example.org"))
    Notifications(database).add(made, None)
    Registry(database).insert([Arrivals(made.id, None, [Recipient("u1", locale="de"), Recipient("u2")])], NOON)
    personal = Personal(database)
    [mine], [theirs] = personal.page("u1", None), personal.page("u2", None)
    assert mine["notification"]["message"] == {
        "title": "Hallo u1@example.org",
        "body": "u1",
        "image": None,
        "link": "https://example.org",
        "data": {},
    }
    assert theirs["notification"]["message"]["title"] == "Hello"
    assert "texts" not in mine["notification"]


def test_entries_come_in_pages_newest_first_each_once(database: Store) -> None:
    ids = [new_id() for _ in range(450)]
    Registry(database).insert([Arrivals(identity, None, recipients("u1")) for identity in ids], NOON)
    personal, found, after_ = Personal(database), [], None
    while page := personal.page("u1", after_):
        assert len(page) <= 200
        found += [entry["notification_id"] for entry in page]
        after_ = found[-1]
    assert found == ids[::-1]


def test_an_unknown_person_has_nothing(database: Store) -> None:
    personal = Personal(database)
    assert (personal.profile("u1"), personal.devices("u1"), personal.page("u1", None)) == (None, [], [])


def test_what_waits_for_them_is_what_names_them_without_an_entry(database: Store) -> None:
    for users in (("u1", "u2"), ("u2",)):
        Notifications(database).add(a_notification(audience=Audience(users)), None)
    done = a_notification(audience=Audience(("u1",)))
    Notifications(database).add(done, None)
    database["notifications"].update_one({"_id": object_id(done.id)}, {"$set": {"expanded": True}})
    begun = a_notification(audience=Audience(("u1",)))
    Notifications(database).add(begun, None)
    Registry(database).insert([Arrivals(begun.id, None, recipients("u1"))], NOON)
    [waiting] = Personal(database).waiting("u1")
    assert json.loads(json.dumps(waiting)) == waiting
    assert "u2" not in json.dumps(waiting)


def test_a_mail_says_what_its_reader_read(database: Store) -> None:
    said = Mail(f"s {mark(UserField.ID)}", f"t {mark(UserField.EMAIL)}")
    name, mails = content_id(N, said), Mails(database)
    mails.say([(name, said)], after(60))
    mails.enter([a_mail("u1", content=name, address="then@example.org"), a_mail("u2", content=None)])
    Users(database).put("u1", {"email": "now@example.org"}, NOON)
    [first], [second] = (list(Personal(database).mails(user)) for user in ("u1", "u2"))
    assert first["message"] == {"subject": "s u1", "text": "t then@example.org", "html": None}
    assert second["message"] is None
