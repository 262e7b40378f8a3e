from dataclasses import replace

import pytest

from notify_server.bootstrap import build_gateway
from notify_server.domain.notification import Channel
from notify_server.domain.template import Content, Source
from notify_server.errors import InvalidInput
from notify_server.services.replay import Missed, Replays, parsed
from notify_server.storage.documents import new_id
from notify_server.storage.notifications import Notifications
from notify_server.storage.sequences import Sequences
from tests.services.scene import Scene

LIVE = (Channel.REALTIME,)
MOST = 120  # more than are read together


@pytest.fixture
def replays(scene: Scene) -> Replays:
    return build_gateway(replace(scene.config, realtime_replay=MOST), scene.database, scene.clock).replays


def announce(scene: Scene, *users: str, **draft: object) -> str:
    notification = scene.accept(*(users or ("ada",)), channels=LIVE, **draft)
    scene.expand()
    return notification


def last(scene: Scene) -> int:
    """The number of the newest announcement; they need not begin with 1."""
    return Sequences(scene.database).last()


def ids(replays: Replays, missed: Missed) -> list[str]:
    return [notification.id for part in missed.parts for notification, _ in replays.read(part)]


def test_what_follows_the_last_one_seen_comes_in_order_up_to_where_it_ends(scene: Scene, replays: Replays) -> None:
    first, second, third = [announce(scene) for _ in range(3)]
    until = last(scene)
    announce(scene)
    missed = replays.missed("ada", first, until)
    assert ids(replays, missed) == [second, third]
    assert (missed.after, missed.cut) == (until, False)
    [(_, told), _] = [each for part in missed.parts for each in replays.read(part)]
    assert (told.origin["replayed"], told.content["title"]) == (True, "Booking confirmed")


def test_a_socket_that_has_seen_more_than_this_process_missed_nothing(scene: Scene, replays: Replays) -> None:
    announced = [announce(scene) for _ in range(3)]
    missed = replays.missed("ada", announced[2], last(scene) - 2)
    assert (missed.after, missed.entries) == (last(scene), [])


def test_too_many_are_cut_to_the_newest(scene: Scene, replays: Replays) -> None:
    announced = [scene.accept("ada", channels=LIVE) for _ in range(MOST + 2)]
    scene.expand()
    numbers = {batch["_id"]["n"]: batch["sequence"] for batch in scene.database["batches"].find()}
    in_order = [str(n) for n in sorted(numbers, key=lambda n: numbers[n])]
    assert sorted(in_order) == sorted(announced)
    missed = replays.missed("ada", in_order[0], last(scene))
    assert ids(replays, missed) == in_order[2:]
    assert missed.cut
    assert not replays.missed("ada", in_order[1], last(scene)).cut


@pytest.mark.parametrize("of_another", [True, False])
def test_an_id_that_is_not_theirs_stands_for_its_time_and_tells_nothing(
    scene: Scene, replays: Replays, *, of_another: bool
) -> None:
    own = announce(scene)
    since = announce(scene, "grace") if of_another else new_id(scene.clock())
    later = announce(scene)
    found = ids(replays, replays.missed("ada", since, last(scene)))
    assert found in ([own, later], [later])  # ids tell no more than seconds
    assert replays.missed("stranger", since, last(scene)).entries == []


def test_an_id_of_the_future_stands_for_now(scene: Scene, replays: Replays) -> None:
    announce(scene)
    scene.clock.forward(3600)
    later = announce(scene)
    assert ids(replays, replays.missed("ada", "f" * 24, last(scene))) == [later]


def test_of_a_time_no_more_than_the_newest_entries_are_looked_at(scene: Scene, replays: Replays) -> None:
    since = new_id(scene.clock())
    announce(scene)
    for _ in range(MOST):
        scene.accept("ada")
    scene.expand()
    missed = replays.missed("ada", since, last(scene))
    assert (missed.entries, missed.cut) == ([], True)


def test_a_notification_for_push_alone_stands_for_its_time(scene: Scene, replays: Replays) -> None:
    pushed = scene.accept("ada")
    later = announce(scene)
    assert ids(replays, replays.missed("ada", pushed, last(scene))) == [later]


def test_what_was_cancelled_or_has_expired_or_was_muted_is_left_out(scene: Scene, replays: Replays) -> None:
    scene.services.people.put("ada", {})
    scene.database["users"].update_one({"_id": "ada"}, {"$set": {"muted": {"groups": [], "categories": ["news"]}}})
    first, cancelled, _, _ = [
        announce(scene),
        announce(scene),
        announce(scene, ttl=5),
        announce(scene, category="news"),
    ]
    kept = announce(scene)
    Notifications(scene.database).cancel(cancelled)  # its entry is still pending
    scene.clock.forward(5)
    assert ids(replays, replays.missed("ada", first, last(scene))) == [kept]


@pytest.mark.parametrize("cancelled", [True, False])
def test_what_was_emitted_before_is_not_replayed_when_it_is_over(
    scene: Scene, replays: Replays, *, cancelled: bool
) -> None:
    first, sent = announce(scene), announce(scene, ttl=60)
    build_gateway(scene.config, scene.database, scene.clock).announcements.emitted(
        [(Notifications(scene.database).get(sent)[0], ["ada"])]
    )
    assert ids(replays, replays.missed("ada", first, last(scene))) == [sent]
    if cancelled:
        Notifications(scene.database).cancel(sent)
    else:
        scene.clock.forward(60)
    assert scene.standing(sent) == {"ada": ("sent", None)}
    assert ids(replays, replays.missed("ada", first, last(scene))) == []


def test_only_an_id_can_be_an_id() -> None:
    assert parsed(None) is None
    made = new_id()
    assert parsed(made) == made
    for wrong in ("", "x", 5, {}, made + "00"):
        with pytest.raises(InvalidInput):
            parsed(wrong)


def test_what_was_missed_is_told_in_the_locale_of_its_entry(scene: Scene, replays: Replays) -> None:
    first = announce(scene)
    scene.services.people.put("ada", {"locale": "de"})
    scene.services.templates.put("t", Content("en", {"en": Source("Hello"), "de": Source("Hallo")}))
    announce(scene, message=None, template="t")
    scene.services.people.put("ada", {"locale": "en"})
    [(_, told)] = [each for part in replays.missed("ada", first, last(scene)).parts for each in replays.read(part)]
    assert told.content["title"] == "Hallo"
