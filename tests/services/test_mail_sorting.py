"""Who of a batch gets a mail is decided by entries, profiles, and what the mail registry says already."""

from datetime import UTC

import pytest

from notify_server.domain.mail import Service, mail_id
from notify_server.domain.notification import Channel, Message
from notify_server.domain.registry import Reason, Status
from notify_server.domain.template import Content, Source
from notify_server.services.mail_sorting import Parcel
from notify_server.storage.blocked_addresses import BlockedAddresses
from notify_server.storage.mails import Mails, Recorded
from tests.services.scene import LEASE, Scene

MAIL = (Channel.EMAIL,)


def sort(scene: Scene, service: Service = Service.SMTP) -> list[Parcel]:
    scene.expand()
    load = scene.engine.leasing.take(channel=Channel.EMAIL)
    return scene.engine.mailing._sorting.sort(load, service, scene.clock())


def reasons(parcel: Parcel) -> dict[str, str | None]:
    return {user: answer.outcome.reason for user, answer in parcel.answers.items()}


@pytest.fixture
def people(scene: Scene) -> Scene:
    scene.address("a", "b", "c")
    return scene


def test_who_has_an_address_gets_a_sheet_and_everybody_a_line(people):
    notification = people.accept("a", "b", "nobody", channels=MAIL)
    [parcel] = sort(people)
    assert [(sheet.user, sheet.letter.to, sheet.letter.id) for sheet in parcel.sheets] == [
        (user, f"{user}@example.org", mail_id(notification, user)) for user in "ab"
    ]
    assert reasons(parcel) == {"nobody": Reason.NO_ADDRESS}
    assert {user: mail["status"] for user, mail in people.mails(notification).items()} == dict.fromkeys(
        ("a", "b", "nobody"), "pending"
    )
    mail = people.mails(notification)["a"]
    assert (mail["ends_at"] - mail["expires_at"]).days == people.config.mail_days


def test_a_message_is_said_once_for_all(people):
    people.accept("a", "b", channels=MAIL, message=Message("Title", "Body", link="https://example.org/1"))
    [parcel] = sort(people)
    first, second = (sheet.mail for sheet in parcel.sheets)
    assert first is second
    assert (first.subject, first.text) == ("Title", "Body\n\nhttps://example.org/1")
    assert '<a href="https://example.org/1">' in first.html
    assert people.database["mail_contents"].count_documents({}) == 1


def test_what_a_dead_worker_was_told_counts_and_only_the_rest_is_sent(people):
    notification = people.accept("a", "b", "c", channels=MAIL)
    sort(people)
    mails = Mails(people.database)
    mails.record([Recorded(mail_id(notification, "a"), Status.SENT, people.clock(), 1, {})])
    mails.record([Recorded(mail_id(notification, "b"), Status.FAILED, people.clock(), 1, {"reason": "bad_address"})])
    people.clock.forward(31)
    people.engine = people.worker()
    [parcel] = sort(people)
    assert [sheet.user for sheet in parcel.sheets] == ["c"]
    assert reasons(parcel) == {"a": None, "b": Reason.BAD_ADDRESS}
    assert parcel.fresh == {}


def test_blocked_addresses_and_a_disabled_service_are_told_without_sending(people):
    BlockedAddresses(people.database).block("a@example.org", Reason.BOUNCED, "5.1.1", people.clock())
    people.accept("a", "b", channels=MAIL)
    [parcel] = sort(people)
    assert reasons(parcel) == {"a": Reason.ADDRESS_BLOCKED}
    assert parcel.answers["a"].detail == "bounced 5.1.1"
    people.accept("a", "b", channels=MAIL)
    [parcel] = sort(people, Service.DISABLED)
    assert reasons(parcel) == dict.fromkeys("ab", Reason.MAIL_DISABLED)
    assert parcel.sheets == []


def test_who_was_muted_cancelled_or_is_no_recipient_is_left_out(people):
    people.services.unsubscribing.unsubscribe("a", "news")
    people.accept("a", "b", channels=MAIL, category="news")
    [parcel] = sort(people)
    assert [sheet.user for sheet in parcel.sheets] == ["b"]
    assert parcel.answers == {}


@pytest.mark.parametrize("addressed", [True, False], ids=["at once", "said again when there is an address"])
def test_a_mail_says_it_in_the_locale_of_its_entry_as_push_and_inbox_do(people, addressed):
    content = Content("en", {tag: Source("T", text=f"in {tag}") for tag in ("en", "de", "fr")})
    people.services.templates.put("t", content)
    users = {"ada": "de-AT", "bob": None, "cy": "fr"}
    for user, locale in users.items():
        people.services.people.put(user, {"locale": locale, "email": f"{user}@example.org" if addressed else None})
    notification = people.accept(*users, channels=(Channel.PUSH, *MAIL), message=None, template="t")
    plain = people.accept("ada", channels=MAIL)
    people.expand()
    if not addressed:
        sort(people)
        people.clock.forward(LEASE + 1)
        people.engine = people.worker()  # after a death of the first
    for user in users:
        people.services.people.put(user, {"locale": "en" if user == "ada" else "fr", "email": f"{user}@example.org"})
    parcels = {parcel.notification.id: parcel for parcel in sort(people)}
    said = {sheet.user: sheet.mail.text for sheet in parcels[notification].sheets}
    assert said == {"ada": "in de", "bob": "in en", "cy": "in fr"}
    locales = {user: mail["locale"] for user, mail in people.mails(notification).items()}
    assert locales == {"ada": "de", "bob": "en", "cy": "fr"}
    assert people.mails(plain)["ada"]["locale"] is None


def test_times_are_in_utc(people):
    notification = people.accept("a", channels=MAIL)
    sort(people)
    assert people.mails(notification)["a"]["created_at"].tzinfo is not None
    assert people.mails(notification)["a"]["created_at"].astimezone(UTC) == people.clock()


def test_nothing_is_sorted_of_nothing(people):
    assert people.engine.mailing._sorting.sort([], Service.SMTP, people.clock()) == []
