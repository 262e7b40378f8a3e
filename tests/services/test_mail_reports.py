import pytest

from notify_server.domain.mail import Answer, Service, mail_id
from notify_server.domain.mail_event import Kind, MailEvent
from notify_server.domain.notification import Channel
from notify_server.domain.outcome import ACCEPTED
from notify_server.domain.registry import Event, Status
from notify_server.services.statistics import Question
from notify_server.storage.batches import Batches, Settled
from notify_server.storage.blocked_addresses import BlockedAddresses
from notify_server.storage.mails import Mails, Recorded
from tests.counted import count_all, differences
from tests.services.scene import Scene


@pytest.fixture
def sent(scene: Scene) -> str:
    """A notification that was mailed to a, by a service that was not there."""
    scene.address("a")
    notification = scene.accept("a", channels=(Channel.EMAIL,), category="news")
    scene.expand()
    page = scene.engine.leasing.take(channel=Channel.EMAIL)
    sorting = scene.engine.mailing._sorting
    [parcel] = sorting.sort(page, "smtp", scene.clock())
    Mails(scene.database).record([Recorded(parcel.sheets[0].letter.id, Status.SENT, scene.clock(), 1, {})])
    parcel.answers["a"] = Answer(ACCEPTED)
    scene.engine.mailing._settlement.write([parcel])
    Batches(scene.database).settle([Settled(parcel.batch)], scene.engine.leasing.holder.owner)
    assert scene.standing(notification) == {"a": ("sent", None)}
    return notification


def report(scene: Scene, notification: str, *kinds: Kind) -> None:
    scene.services.mail_reports.take([MailEvent(mail_id(notification, "a"), kind, "5.1.1") for kind in kinds])


@pytest.mark.parametrize(
    ("kinds", "entry", "mail"),
    [
        ([Kind.DELIVERED], ("received", None), "received"),
        ([Kind.DELIVERED, Kind.OPENED], ("read", None), "read"),
        ([Kind.OPENED, Kind.DELIVERED], ("read", None), "read"),
        ([Kind.BOUNCED], ("failed", "bounced"), "failed"),
        ([Kind.DELIVERED, Kind.BOUNCED], ("failed", "bounced"), "failed"),
        ([Kind.BOUNCED, Kind.DELIVERED], ("failed", "bounced"), "failed"),
        ([Kind.DROPPED, Kind.DELIVERED], ("failed", "bounced"), "failed"),
        ([Kind.DROPPED], ("failed", "bounced"), "failed"),
        ([Kind.OPENED, Kind.BOUNCED], ("read", None), "read"),
        ([Kind.BOUNCED, Kind.OPENED], ("read", None), "read"),
        ([Kind.COMPLAINED], ("sent", None), "sent"),
        ([Kind.UNSUBSCRIBED], ("sent", None), "sent"),
    ],
)
def test_reports_move_entry_and_mail_forwards_in_any_order(scene, sent, kinds, entry, mail):
    for _ in range(2):
        report(scene, sent, *kinds)
    assert scene.standing(sent) == {"a": entry}
    assert scene.mails(sent)["a"]["status"] == mail


def test_a_bounce_that_is_reported_again_after_a_death_in_between_reaches_the_entry(scene, sent):
    Mails(scene.database).move(mail_id(sent, "a"), Event.BOUNCE, scene.clock(), "5.1.1")
    assert scene.standing(sent) == {"a": ("sent", None)}
    for _ in range(2):
        report(scene, sent, Kind.BOUNCED)
    assert scene.standing(sent) == {"a": ("failed", "bounced")}
    details = [line["detail"] for line in scene.entry(sent, "a")["history"]]
    assert details.count("mail bounced (5.1.1)") == 1


@pytest.mark.parametrize(("kind", "blocked"), [(Kind.BOUNCED, True), (Kind.COMPLAINED, True), (Kind.DROPPED, False)])
def test_who_bounced_or_complained_is_mailed_no_more(scene, sent, kind, blocked):
    report(scene, sent, kind)
    assert bool(BlockedAddresses(scene.database).among(["a@example.org"])) is blocked


def test_who_unsubscribes_has_muted_the_category(scene, sent):
    report(scene, sent, Kind.UNSUBSCRIBED)
    assert scene.services.subscriptions.muted("a").categories == ["news"]


@pytest.mark.parametrize(
    ("kinds", "told"),
    [
        ([Kind.DELIVERED, Kind.OPENED], {"sent": 1, "received": 1, "read": 1}),
        ([Kind.BOUNCED], {"sent": 1, "bounced": 1}),
        ([Kind.DROPPED], {"sent": 1, "bounced": 1}),
    ],
)
def test_what_is_reported_days_later_is_counted_again(scene, sent, kinds, told):
    scene.clock.forward(3 * 86_400)
    count_all(scene.database)
    assert by_email(scene, sent) == {"sent": 1}
    scene.database["changes"].delete_many({})
    _grown_old(scene)
    for kind in kinds:
        report(scene, sent, kind)
    assert scene.database["changes"].count_documents({}) > 0
    count_all(scene.database)
    assert by_email(scene, sent) == told
    assert differences(scene.database) == []
    scene.services.erasing.erase("a")
    count_all(scene.database)
    assert by_email(scene, sent) == told
    assert differences(scene.database) == []


def _grown_old(scene):
    """Let no mark under which entries were entered serve for what comes now."""
    journal = scene.services.mail_reports._stores.joint._journal
    journal._steady = journal._ticks()
    journal._marked = {}


def by_email(scene, notification):
    course = scene.services.figures.notification(notification, Question())
    [row] = [row for row in course.report.channels if row["channel"] == "email"]
    return {name: count for name, count in row.items() if name != "channel" and count}


def test_reports_of_who_was_erased_change_nothing(scene, sent):
    scene.services.erasing.erase("a")
    assert scene.services.mail_reports.take([MailEvent(mail_id(sent, "a"), Kind.UNSUBSCRIBED)]) == 0
    assert scene.database["users"].find_one({"_id": "a"}) is None


@pytest.fixture
def under_way(scene: Scene):
    """Sends a mail to a, of which the given is reported before its answer is written down."""

    def send(*kinds: Kind, channels=(Channel.EMAIL,)) -> str:
        scene.address("a")
        notification = scene.accept("a", channels=channels)
        for load in scene.loads():
            scene.engine.leasing.release(load)
        load = scene.engine.leasing.take(channel=Channel.EMAIL)
        [parcel] = scene.engine.mailing._sorting.sort(load, Service.SMTP, scene.clock())
        report(scene, notification, *kinds)
        said = {"message_id": "<m>", "provider_id": "S1"}
        Mails(scene.database).record([Recorded(mail_id(notification, "a"), Status.SENT, scene.clock(), 1, said)])
        parcel.answers["a"] = Answer(ACCEPTED)
        scene.engine.mailing._settlement.write([parcel])
        return notification

    return send


@pytest.mark.parametrize(
    ("kinds", "stands"),
    [
        ([Kind.BOUNCED], ("failed", "bounced")),
        ([Kind.DROPPED], ("failed", "bounced")),
        ([Kind.DELIVERED], ("received", None)),
        ([Kind.DELIVERED, Kind.OPENED], ("read", None)),
        ([Kind.DELIVERED, Kind.BOUNCED], ("failed", "bounced")),
        ([Kind.BOUNCED, Kind.DELIVERED], ("failed", "bounced")),
    ],
)
def test_what_is_reported_before_we_know_that_a_mail_is_sent_counts(scene, under_way, kinds, stands):
    notification = under_way(*kinds)
    assert scene.standing(notification) == {"a": stands}
    mail = scene.mails(notification)["a"]
    assert (mail["status"], mail["reason"]) == stands
    assert (mail["attempts"], mail["message_id"], mail["provider_id"]) == (1, "<m>", "S1")


def test_a_bounce_that_comes_early_leaves_push_to_go(scene, under_way):
    notification = under_way(Kind.BOUNCED, channels=(Channel.PUSH, Channel.EMAIL))
    assert scene.standing(notification)["a"][0] == "pending"
    assert scene.mails(notification)["a"]["reason"] == "bounced"
    scene.register("a")
    scene.work()
    assert scene.standing(notification) == {"a": ("sent", None)}


@pytest.mark.parametrize("early", [False, True])
@pytest.mark.parametrize("kinds", [[Kind.DELIVERED], [Kind.DELIVERED, Kind.BOUNCED]])
def test_a_report_of_a_mail_stops_no_push(scene, under_way, kinds, early):
    notification = under_way(*kinds if early else (), channels=(Channel.PUSH, Channel.EMAIL))
    if not early:
        report(scene, notification, *kinds)
    scene.register("a")
    scene.work()
    assert scene.accepted() == ["a:phone"]
    assert scene.standing(notification) == {"a": ("sent", None)}
