from contextlib import suppress
from typing import Any

import pytest

from notify_server.bootstrap import build_erasing
from notify_server.domain.batch import Rank
from notify_server.domain.email_settings import EmailSettings, SmtpServer
from notify_server.domain.mail import Address, Security, Service
from notify_server.domain.notification import Attachment, Audience, Channel, Message
from notify_server.domain.registry import Status
from notify_server.domain.texts import Mail, Text, Texts
from notify_server.domain.user import Mutable
from notify_server.errors import NotFound
from notify_server.services.acceptance import Draft
from notify_server.services.audit import Change, Kind, Party
from notify_server.services.erasing import Erasing
from notify_server.services.reception import Report
from notify_server.storage.notifications import Notifications
from notify_server.storage.users import Users
from tests.builders import a_notification, after, at_once
from tests.fcm_simulator import free_port
from tests.services.interruption import Interrupted, Killed, die
from tests.services.scene import HELLO, LEASE, Scene

ME = "person-to-erase"
MADE = 60.0  # seconds after which a profile without anything is taken for an echo
COMPLETE = {"devices": 1, "entries": 3, "mails": 0, "profiles": 1}


@pytest.fixture
def erasing(scene: Scene) -> Erasing:
    return scene.services.erasing


def mentions(scene: Scene) -> list[str]:
    """The collections in which the id occurs, whatever they are."""
    return [n for n in scene.database.list_collection_names() if ME in str(list(scene.database[n].find()))]


def adds_up(scene: Scene, notification: str) -> bool:
    standing = scene.services.inspection.get(notification)
    return sum(standing.counts.values()) + sum(standing.erased.values()) == standing.recipients


def lived(scene: Scene) -> list[str]:
    """A person with a history of each kind, and somebody beside them; their notifications."""
    scene.services.people.put(ME, {"community": "school", "groups": ["chess"], "email": "me@example.org"})
    scene.services.people.put("z", {"groups": ["chess"]})
    for user in (ME, "z"):
        scene.register(user)
    read = scene.accept(ME, "z")
    sent = scene.accept(groups=("chess",))
    scene.work()
    scene.services.reception.report(ME, [Report(read, Status.READ, device="phone")])
    scene.services.subscriptions.mute(ME, Mutable.CATEGORIES, "news")
    suppressed = scene.accept(ME, "a", category="news")
    scene.work()
    waiting = scene.accept(ME, "z", send_at=after(9999))
    line = Change(Party(Kind.USER, ME), "me.register", None, Party(Kind.DEVICE, "phone"))
    scene.services.audit.begin(line)
    return [read, sent, suppressed, waiting]


def test_nothing_of_an_erased_person_is_left_in_any_collection(scene: Scene, erasing: Erasing) -> None:
    notifications = lived(scene)
    assert set(mentions(scene)) >= {"users", "devices", "registry", "batches", "notifications", "audit"}
    proof = erasing.erase(ME)
    assert (proof.complete, proof.erased) == (True, COMPLETE)
    assert mentions(scene) == []
    for notification in notifications:
        assert adds_up(scene, notification)
    erased = [scene.services.inspection.get(n).erased for n in notifications[:3]]
    assert [{s: c for s, c in each.items() if c} for each in erased] == [{"read": 1}, {"sent": 1}, {"suppressed": 1}]
    with pytest.raises(NotFound):
        erasing.erase(ME)


def test_nothing_is_sent_to_an_erased_person_any_more_and_the_others_get_theirs(scene: Scene, erasing: Erasing) -> None:
    lived(scene)
    page = scene.accept(ME, "z")
    scene.fcm.clear()
    erasing.erase(ME)
    scene.work()
    for seconds in (900, 1800, 9000):
        scene.clock.forward(seconds)
        scene.upkeep.release()
        scene.upkeep.resend()
        scene.work()
    assert set(scene.accepted()) == {"z:phone"}
    assert scene.standing(page).keys() == {"z"}
    assert mentions(scene) == []


def test_the_invariants_hold_after_an_erasure(scene: Scene, erasing: Erasing) -> None:
    for user in ("a", ME, "z"):
        scene.register(user)
    notification = scene.accept("a", ME, "z")
    scene.work()
    erasing.erase(ME)
    assert [v for v in scene.violations(notification) if "has no entry" not in v] == []
    assert adds_up(scene, notification)


def test_an_expansion_that_runs_at_the_same_moment_does_not_bring_the_person_back(
    scene: Scene, erasing: Erasing
) -> None:
    scene.register(ME)
    notification = scene.accept(ME, "z")
    engine = scene.engine
    claims = engine.expansion.claim(list(Rank), 9)  # the audience is read, nothing is written
    assert erasing.erase(ME).erased == {"devices": 1, "entries": 0, "mails": 0, "profiles": 1}
    loads = [load for claim in claims for load in engine.expansion.loads(claim)]
    assert "users" in mentions(scene)
    for load in loads:
        engine.delivery.deliver(load)
    assert erasing.complete_erasures() == 0  # the profile that the expansion made might be a new person's
    scene.clock.forward(MADE)
    assert erasing.complete_erasures() == 1
    assert mentions(scene) == []
    assert scene.accepted() == []
    assert adds_up(scene, notification)


def test_what_is_being_sent_at_that_moment_is_left_to_the_scheduler(scene: Scene, erasing: Erasing) -> None:
    scene.register(ME)
    scene.register("z")
    notification = scene.accept(ME, "z")
    [page] = scene.expand()
    proof = erasing.erase(ME)
    assert not proof.complete
    assert erasing.complete_erasures() == 0
    scene.engine.delivery.deliver([page])
    assert scene.accepted() == ["z:phone"]
    assert erasing.complete_erasures() == 1
    assert mentions(scene) == []
    assert scene.services.inspection.get(notification).erased["pending"] == 1
    assert erasing.complete_erasures() == 0


def test_a_worker_that_died_with_the_person_in_its_hands_keeps_nothing(scene: Scene, erasing: Erasing) -> None:
    scene.register(ME)
    scene.accept(ME, "z")
    scene.expand(scene.worker())
    assert not erasing.erase(ME).complete
    scene.clock.forward(LEASE)
    assert erasing.complete_erasures() == 1
    assert mentions(scene) == []


def test_killed_anywhere_and_repeated_it_ends_complete_and_counts_once(scene: Scene, erasing: Erasing) -> None:
    for moment in range(200):
        notifications = lived(scene)
        mortal = Interrupted(scene.database, moment, die)
        with suppress(Killed):
            build_erasing(mortal, scene.clock).erase(ME)  # type: ignore[arg-type]
        if not scene.database["erasures"].count_documents({}):
            erasing.erase(ME)
        erasing.complete_erasures()
        assert scene.database["erasures"].find_one({}, {"removed": 1, "user": 1, "_id": 0}) == {"removed": COMPLETE}
        assert mentions(scene) == []
        assert all(adds_up(scene, notification) for notification in notifications)
        empty(scene)
        if not mortal.happened:
            break
    assert moment > 20


def test_a_person_erased_at_any_moment_of_a_workers_work_is_gone_when_it_is_over(scene: Scene) -> None:
    for moment in range(0, 200, 2):
        for user in (ME, "z"):
            scene.register(user)
        notification = scene.accept(ME, "z")
        erasing = build_erasing(scene.database, scene.clock)
        interrupted = Interrupted(scene.database, moment, lambda erasing=erasing: erasing.erase(ME))  # type: ignore[misc]
        scene.work(scene.worker(interrupted))
        if not interrupted.happened:
            break
        scene.clock.forward(LEASE)
        scene.work()
        scene.clock.forward(MADE)
        erasing.complete_erasures()
        assert mentions(scene) == []
        assert adds_up(scene, notification)
        assert "z:phone" in scene.accepted()
        empty(scene)
    assert moment > 10


def test_erased_twice_at_once_they_are_counted_once(scene: Scene, erasing: Erasing) -> None:
    lived(scene)

    def erase() -> Any:
        try:
            return erasing.erase(ME)
        except NotFound:
            return None

    at_once(erase, erase, erasing.complete_erasures)
    erasing.complete_erasures()
    assert mentions(scene) == []
    read = scene.database["notifications"].find({"erased": {"$exists": True}})
    assert sorted(sum(n["erased"].values()) for n in read) == [1, 1, 1]


def test_a_person_named_after_their_erasure_is_a_new_one(scene: Scene, erasing: Erasing) -> None:
    lived(scene)
    erasing.erase(ME)
    scene.clock.forward(1)
    again = scene.accept(ME)
    scene.register(ME)
    scene.work()
    erasing.complete_erasures()
    assert scene.standing(again) == {ME: ("sent", None)}
    assert Users(scene.database).get(ME).groups == ()


def test_a_person_named_after_their_erasure_keeps_the_profile_whenever_the_erasure_ends(scene: Scene) -> None:
    for moment in range(200):
        for user in (ME, "z"):
            scene.register(user)
        scene.accept(ME, "z")
        [page] = scene.expand()
        erasing = build_erasing(scene.database, scene.clock)
        assert not erasing.erase(ME).complete
        scene.engine.delivery.deliver([page])
        scene.clock.forward(1)
        again = scene.accept(ME)
        interrupted = Interrupted(scene.database, moment, erasing.complete_erasures)
        scene.work(scene.worker(interrupted))
        scene.clock.forward(MADE)
        erasing.complete_erasures()
        assert scene.standing(again) == {ME: ("pending", "no_device")}
        assert Users(scene.database).get(ME).groups == ()
        empty(scene)
        if not interrupted.happened:
            break
    assert moment > 10


def test_who_is_only_named_in_an_audience_that_waits_is_erased_from_it(scene: Scene, erasing: Erasing) -> None:
    notification = scene.accept(ME)
    assert erasing.erase(ME).complete
    scene.work()
    assert mentions(scene) == []
    assert scene.state(notification) == "done"


def test_who_stands_in_the_audit_log_alone_is_erased_from_it(scene: Scene, erasing: Erasing) -> None:
    change = Change(Party(Kind.CLIENT, "c1"), "users.mint", None, Party(Kind.USER, ME))
    scene.services.audit.end(scene.services.audit.begin(change), change, 201)
    proof = erasing.erase(ME)
    assert (proof.complete, set(proof.erased.values())) == (True, {0})
    assert mentions(scene) == []
    with pytest.raises(NotFound):
        erasing.erase(ME)


@pytest.mark.parametrize("expanded", [False, True])
def test_no_guess_can_be_tested_against_a_payload_that_named_them_and_a_repeat_is_one_still(
    scene: Scene, erasing: Erasing, expanded: bool
) -> None:
    payload = Draft(HELLO, Audience((ME,)))
    first = scene.services.acceptance.accept(payload, "backend", f"booking-of-{ME}")
    if expanded:
        scene.work()
    assert erasing.erase(ME).complete
    [stored] = scene.database["notifications"].find()
    assert stored["idempotency"].keys() == {"client", "key"}
    assert mentions(scene) == []
    assert scene.services.acceptance.accept(payload, "backend", f"booking-of-{ME}").id == first.id
    assert mentions(scene) == []


def test_nobody_is_not_found_and_leaves_no_trace(scene: Scene, erasing: Erasing) -> None:
    with pytest.raises(NotFound):
        erasing.erase(ME)
    assert mentions(scene) == []
    assert scene.database["erasures"].count_documents({}) == 0


def empty(scene: Scene) -> None:
    for name in set(scene.database.list_collection_names()) - {"migrations", "keys", "signals"}:
        scene.database[name].delete_many({})
    scene.fcm.clear()


@pytest.fixture
def mailed(scene: Scene) -> None:
    """Mails are tried, and reach nobody."""
    nobody = SmtpServer("127.0.0.1", free_port(), Security.NONE)
    scene.services.email_settings.put(EmailSettings(Service.SMTP, Address("n@example.org"), smtp=nobody))


@pytest.mark.usefixtures("mailed")
def test_mails_go_with_their_entries_and_what_was_said_to_others_stays(scene: Scene) -> None:
    scene.address(ME, "other")
    both = scene.accept(ME, "other", channels=(Channel.EMAIL,))
    alone = scene.accept(ME, channels=(Channel.EMAIL,), message=Message("For you alone"))
    scene.mail()
    said = {found["user"]: found["content"] for found in scene.database["mails"].find()}
    assert scene.database["mail_contents"].count_documents({}) == 2
    assert scene.services.erasing.erase(ME).erased["mails"] == 2
    assert list(scene.mails(both)) == ["other"]
    assert scene.mails(alone) == {}
    assert [found["_id"] for found in scene.database["mail_contents"].find()] == [said["other"]]


SECRET = "a word that nobody else was told"


def whispered(scene: Scene) -> list[str]:
    """The collections in which the word is, as text or within a file."""
    found = scene.database.list_collection_names()
    return [name for name in found if SECRET in str(list(scene.database[name].find())).replace("\\x", "")]


@pytest.mark.parametrize("expanded", [False, True])
@pytest.mark.parametrize(
    "channels", [(Channel.PUSH,), (Channel.EMAIL,), (Channel.PUSH, Channel.REALTIME, Channel.EMAIL)]
)
def test_what_was_said_to_nobody_else_is_forgotten(
    scene: Scene, erasing: Erasing, channels: tuple[Channel, ...], expanded: bool
) -> None:
    scene.address(ME)
    scene.accept(
        ME,
        channels=channels,
        message=Message(SECRET, SECRET, f"https://e.org/{SECRET}", None, {"k": SECRET}),
        attachments=(Attachment("a", "text/plain", SECRET.encode()),) if Channel.EMAIL in channels else (),
        payload=f'{{"x": "{SECRET}"}}' if Channel.REALTIME in channels else None,
        send_at=None if expanded else after(9999),
    )
    if expanded:
        scene.work()
        scene.mail()
        scene.clock.forward(LEASE + 1)
    assert whispered(scene)
    assert erasing.erase(ME).complete
    assert whispered(scene) == []
    assert mentions(scene) == []
    scene.clock.forward(9999)
    scene.upkeep.release()
    scene.work()
    assert scene.accepted() == []


@pytest.mark.usefixtures("mailed")
def test_what_was_said_by_a_template_to_nobody_else_is_forgotten(scene: Scene, erasing: Erasing) -> None:
    texts = Texts("t", 1, "en", {"en": Text(SECRET, SECRET)})
    made = a_notification(
        audience=Audience((ME,)), texts=texts, mails={"en": Mail(SECRET, SECRET, SECRET)}, channels=(Channel.EMAIL,)
    )
    scene.address(ME)
    Notifications(scene.database).add(made, None)
    scene.mail()
    assert {"notifications", "mail_contents"} <= set(whispered(scene))
    assert erasing.erase(ME).complete
    assert whispered(scene) == []


@pytest.mark.usefixtures("mailed")
@pytest.mark.parametrize("audience", [{"users": (ME, "other")}, {"groups": ("chess",)}])
def test_what_was_said_to_others_as_well_stays_until_they_are_erased_too(
    scene: Scene, erasing: Erasing, audience: dict[str, tuple[str, ...]]
) -> None:
    for user in (ME, "other"):
        scene.services.people.put(user, {"groups": ["chess"], "email": f"{user}@example.org"})
    payload = Draft(Message(SECRET), Audience(**audience), channels=(Channel.EMAIL,))
    notification = scene.services.acceptance.accept(payload, "tests", None).id
    scene.mail()
    scene.clock.forward(LEASE + 1)
    assert erasing.erase(ME).complete
    assert scene.services.inspection.get(notification).notification.message.title == SECRET
    assert erasing.erase("other").complete
    assert whispered(scene) == []
    assert adds_up(scene, notification)


@pytest.mark.parametrize("end", ["expired", "cancelled"])
def test_files_and_mails_go_when_nothing_of_them_will_be_sent_any_more(scene: Scene, end: str) -> None:
    texts = Texts("t", 1, "en", {"en": Text("title")})
    made = a_notification(
        audience=Audience(("a",)),
        texts=texts,
        mails={"en": Mail(SECRET, SECRET)},
        attachments=(Attachment("a", "text/plain", SECRET.encode()),),
        channels=(Channel.EMAIL,),
        ttl=60,
    )
    Notifications(scene.database).add(made, None)
    scene.expand()
    assert "notifications" in whispered(scene)
    if end == "expired":
        scene.clock.forward(61)
        scene.upkeep.expire()
    else:
        scene.services.cancellation.cancel(made.id)
    assert scene.standing(made.id)["a"][0] == end
    assert whispered(scene) == []
