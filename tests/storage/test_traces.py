import pytest

from notify_server.domain.batch import Stage
from notify_server.domain.erasure import Erasure
from notify_server.domain.notification import Audience, Channel
from notify_server.domain.registry import Event, Note
from notify_server.domain.texts import Mail
from notify_server.storage.backlog import Backlog
from notify_server.storage.batches import Batches
from notify_server.storage.devices import Devices
from notify_server.storage.documents import Store, object_id
from notify_server.storage.erasures import Erasures
from notify_server.storage.mails import Mails, content_id
from notify_server.storage.notifications import Notifications
from notify_server.storage.registry import Arrivals, Registry
from notify_server.storage.resends import Request, Resends
from notify_server.storage.traces import Traces
from notify_server.storage.users import Users
from tests.builders import NOON, a_batch, a_device, a_notification, after, recipients

ME = "person"


@pytest.fixture
def traces(database: Store) -> Traces:
    return Traces(database, Erasures(database))


@pytest.fixture
def erasure(database: Store) -> Erasure:
    return Erasures(database).begin(ME, after(60))


def expanded(database: Store, *users: str, at: float = 0, **fields: object) -> str:
    """A notification whose audience is expanded; its id."""
    made = a_notification(audience=Audience(tuple(sorted(users))), created_at=after(at))
    Notifications(database).add(made, None)
    Registry(database).insert([Arrivals(made.id, None, recipients(*users))], after(at))
    ended = {"expanded": True, "cursor": max(users), "recipients": len(users)} | fields
    database["notifications"].update_one({"_id": object_id(made.id)}, {"$set": ended})
    return made.id


def mentions(database: Store, *collections: str) -> list[str]:
    """The collections in which the id occurs."""
    return [name for name in collections if f"'{ME}'" in str(list(database[name].find()))]


ALL = ("users", "devices", "registry", "notifications", "batches")


def test_devices_and_profile_go_and_are_counted_once(database: Store, traces: Traces, erasure: Erasure) -> None:
    Users(database).put(ME, {}, NOON)
    for device in (a_device(ME), a_device(ME, "tablet"), a_device("u2")):
        Devices(database).register(device)
    assert traces.present(ME)
    traces.remove_person(erasure)
    traces.remove_person(erasure)
    assert Erasures(database).get(erasure).removed == {"devices": 2, "profiles": 1}
    assert not traces.present(ME)
    assert [device.user for device in Devices(database).of_user("u2")] == ["u2"]


def test_entries_go_with_all_that_they_lead_to_and_are_counted_by_status(
    database: Store, traces: Traces, erasure: Erasure
) -> None:
    first, second = expanded(database, ME, "a"), expanded(database, ME, "z")
    Registry(database).move(Event.SEND, {second: [ME]}, Note(NOON))
    Batches(database).add(a_batch(first, "a", ME, stage=Stage.CONFIRM, devices={ME: ("phone",), "a": ("phone",)}))
    Batches(database).add(a_batch(second, "z", page=ME))
    Batches(database).add(a_batch(first, ME, part=f"user:{ME}"))
    assert not traces.sweep(erasure, None, 9, after(60)).stayed
    assert mentions(database, *ALL) == []
    counted = {str(n["_id"]): n["erased"] for n in database["notifications"].find()}
    assert counted == {first: {"pending": 1}, second: {"sent": 1}}
    assert Erasures(database).get(erasure).removed == {"entries": 2, "mails": 0}
    left = [(batch["users"], batch["devices"]) for batch in database["batches"].find().sort("users", 1)]
    assert left == [(["a"], [["a", ["phone"]]]), (["z"], None)]
    assert [entry["_id"]["u"] for entry in database["registry"].find().sort("_id.u", 1)] == ["a", "z"]


def test_what_mails_said_goes_with_the_last_of_those_it_was_said_to_in_every_locale(
    database: Store, traces: Traces, erasure: Erasure
) -> None:
    """An earlier attempt in another locale is kept under a name that no mail leads to any more."""
    alone, shared, other = expanded(database, ME), expanded(database, ME, "z"), expanded(database, "z")
    mails = Mails(database)
    for made in (alone, shared, other):
        mails.say([(content_id(made, Mail(locale, "t")), Mail(locale, "t")) for locale in ("de", "en")], after(60))
    assert not traces.sweep(erasure, None, 9, after(60)).stayed
    left = {content["_id"][:24] for content in database["mail_contents"].find()}
    assert left == {shared, other}
    assert database["mail_contents"].count_documents({}) == 4


def test_a_page_at_a_time_is_swept(database: Store, traces: Traces, erasure: Erasure) -> None:
    for _ in range(5):
        expanded(database, ME)
    first = traces.sweep(erasure, None, 2, after(60))
    assert database["registry"].count_documents({}) == 3
    assert first.last is not None
    assert traces.sweep(erasure, first.last, 3, after(60)).last is not None
    assert traces.sweep(erasure, first.last, 3, after(60)).last is None


@pytest.mark.parametrize("reason", ["expanding", "sending", "requested"])
def test_what_somebody_works_on_stays_until_they_have_ended(
    database: Store, traces: Traces, erasure: Erasure, reason: str
) -> None:
    made = expanded(database, ME, "z", expanded=reason != "expanding")
    leased = a_batch(made, ME, "z", owner="w", due_at=after(90)) if reason == "sending" else a_batch(made, ME, "z")
    Batches(database).add(leased)
    request = Request(made, (ME,), "token", NOON, 1)
    if reason == "requested":
        Resends(database).add(request)
    assert traces.sweep(erasure, None, 9, after(60)).stayed
    assert "registry" in mentions(database, *ALL)
    database["notifications"].update_many({}, {"$set": {"expanded": True}})
    Resends(database).finish(request)
    assert not traces.sweep(erasure, None, 9, after(90)).stayed  # the lease has run out
    assert mentions(database, *ALL) == []


def test_an_announcement_is_renamed_once_it_has_a_number_which_it_keeps(
    database: Store, traces: Traces, erasure: Erasure
) -> None:
    made = expanded(database, ME, "z")
    announced = a_batch(made, "z", page=ME, stage=Stage.ANNOUNCE, channel=Channel.REALTIME)
    Batches(database).add(announced)
    assert traces.sweep(erasure, None, 9, after(61)).stayed  # its page is being entered
    assert Batches(database).find(announced.key) == announced
    database["batches"].update_one({"stage": "announce"}, {"$set": {"sequence": 7}})
    assert not traces.sweep(erasure, None, 9, after(62)).stayed
    assert mentions(database, *ALL) == []
    assert [batch.sequence for batch in Backlog(database).announced(0, 9)] == [7]


def test_what_was_accepted_after_the_erasure_is_of_a_new_person(
    database: Store, traces: Traces, erasure: Erasure
) -> None:
    expanded(database, ME, at=61)
    assert not traces.sweep(erasure, None, 9, after(70)).stayed
    assert database["registry"].count_documents({"_id.u": ME}) == 1


def test_an_audience_that_waits_no_longer_names_them(database: Store, traces: Traces, erasure: Erasure) -> None:
    for at in (0, 61):
        made = a_notification(audience=Audience(("a", ME)), created_at=after(at))
        Notifications(database).add(made, None)
    assert traces.present(ME)
    traces.unname(erasure)
    named = [n["audience"]["users"] for n in database["notifications"].find().sort("created_at", 1)]
    assert named == [["a"], ["a", ME]]


def test_a_profile_that_an_old_notification_made_goes_and_one_in_use_stays(
    database: Store, traces: Traces, erasure: Erasure
) -> None:
    users = Users(database)
    users.mention([ME], "school", after(90))
    assert traces.remove_echo(erasure, after(150))
    assert not traces.present(ME)
    users.mention([ME], None, after(90))
    Devices(database).register(a_device(ME))
    assert traces.remove_echo(erasure, after(150))
    assert users.get(ME).id == ME
    Devices(database).delete(ME, "phone")
    users.put(ME, {"email": "a@b.c"}, after(91))
    assert traces.remove_echo(erasure, after(151))
    assert users.get(ME).email == "a@b.c"


def test_a_profile_that_was_made_just_now_stays_until_it_is_seen_what_for(
    database: Store, traces: Traces, erasure: Erasure
) -> None:
    users = Users(database)
    users.mention([ME], None, after(90))
    assert not traces.remove_echo(erasure, after(149))
    assert users.get(ME).id == ME
    assert traces.remove_echo(erasure, after(150))
    assert not traces.present(ME)
