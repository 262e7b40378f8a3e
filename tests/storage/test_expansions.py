from dataclasses import replace
from typing import Any

import pytest

from notify_server.domain.batch import SIZE
from notify_server.domain.notification import Audience, Notification, Priority, State
from notify_server.storage.documents import Store, new_id, object_id
from notify_server.storage.expansions import Claim, Expansions, Progress
from notify_server.storage.notifications import Notifications
from tests.builders import NOON, a_notification, after, at_once


@pytest.fixture
def expansions(database: Store) -> Expansions:
    return Expansions(database)


def accepted(database: Store, **fields: Any) -> Notification:
    notification = a_notification(**fields)
    Notifications(database).add(notification, None)
    return notification


def claim(expansions: Expansions, owner: str = "one", seconds: float = 0) -> Claim | None:
    """A lease of 30 seconds, taken so many seconds after NOON."""
    claims = expansions.claim(owner, after(seconds), after(seconds + 30), 1)
    assert len(claims) <= 1
    return claims[0] if claims else None


def stored(database: Store, notification: Notification) -> dict[str, Any]:
    found = database["notifications"].find_one({"_id": object_id(notification.id)})
    assert found is not None
    return found


def expanded(database: Store, expansions: Expansions, **fields: Any) -> Notification:
    """A notification of which everything but this is done: its state is `dispatching`."""
    notification = accepted(database, **fields)
    assert claim(expansions) is not None
    assert expansions.advance(notification.id, "one", ("", "u9"), 9, last=True)
    return notification


def test_a_claim_begins_at_the_beginning_with_the_whole_audience(database: Store, expansions: Expansions) -> None:
    audience = Audience(users=("u1", "u2"), groups=("choir",))
    notification = accepted(database, audience=audience)
    assert claim(expansions) == Claim(replace(notification, state=State.DISPATCHING), "")


def test_high_priority_is_claimed_first_and_then_what_was_accepted_first(
    database: Store, expansions: Expansions
) -> None:
    normal, late, early = (
        accepted(database, priority=priority, created_at=after(seconds))
        for priority, seconds in ((Priority.NORMAL, -99), (Priority.HIGH, -1), (Priority.HIGH, -9))
    )
    claims = [claim(expansions) for _ in range(4)]
    assert [found and found.notification.id for found in claims] == [early.id, late.id, normal.id, None]


def test_the_most_urgent_are_claimed_together_up_to_a_limit(database: Store, expansions: Expansions) -> None:
    made = [accepted(database, created_at=after(-number)).id for number in range(5)]
    claims = expansions.claim("one", NOON, after(30), 3)
    assert {found.notification.id for found in claims} == set(made[2:])
    assert {found.notification.id for found in expansions.claim("two", NOON, after(30), 9)} == set(made[:2])
    assert expansions.claim("three", NOON, after(30), 9) == []


def test_claims_of_many_at_once_never_overlap(database: Store, expansions: Expansions) -> None:
    made = {accepted(database).id for _ in range(40)}
    shares = at_once(*(lambda n=n: [expansions.claim(f"w{n}", NOON, after(30), 7) for _ in range(9)] for n in range(4)))
    claimed = [found.notification.id for share in shares for claims in share for found in claims]
    assert len(claimed) == len(set(claimed))
    left = {found.notification.id for found in expansions.claim("last", NOON, after(30), 99)}
    assert left.isdisjoint(claimed)
    assert left.union(claimed) == made


@pytest.mark.parametrize(
    ("audience", "cursor", "brief"),
    [
        (Audience(users=("u1",)), "", True),
        (Audience(users=tuple(f"u{number:03}" for number in range(SIZE - 1))), "", True),
        (Audience(users=tuple(f"u{number:03}" for number in range(SIZE))), "", False),
        (Audience(users=("u1",)), "u1", False),
        (Audience(users=("u1",), groups=("choir",)), "", False),
        (Audience(users=("u1",), communities=("school",)), "", False),
        (Audience(everyone=True), "", False),
        (Audience(), "", False),
    ],
)
def test_an_audience_is_brief_when_it_is_less_than_a_page_of_named_users(
    audience: Audience, cursor: str, brief: bool
) -> None:
    assert Claim(a_notification(audience=audience), cursor).brief is brief


def test_audiences_of_one_page_are_completed_together(database: Store, expansions: Expansions) -> None:
    made = [accepted(database) for _ in range(3)]
    expansions.claim("one", NOON, after(30), 9)
    assert expansions.complete([(made[0].id, "u5", 5), (made[1].id, "u7", 7)], "one")
    documents = [stored(database, notification) for notification in made]
    assert [(d["cursor"], d["recipients"], d["expanded"]) for d in documents] == [
        ("u5", 5, True),
        ("u7", 7, True),
        ("", 0, False),
    ]
    assert [d["owner"] for d in documents] == [None, None, "one"]


def test_who_has_lost_a_lease_completes_only_what_is_left_to_them(database: Store, expansions: Expansions) -> None:
    mine, begun, theirs = (accepted(database, created_at=after(number)) for number in (-3, -2, -1))
    expansions.claim("one", NOON, after(30), 2)
    expansions.claim("two", NOON, after(30), 1)
    assert expansions.advance(begun.id, "one", ("", "u1"), 1, last=False)
    assert not expansions.complete([(n.id, "u5", 5) for n in (mine, begun, theirs)], "one")
    assert [stored(database, n)["expanded"] for n in (mine, begun, theirs)] == [True, False, False]
    assert [stored(database, n)["recipients"] for n in (mine, begun, theirs)] == [5, 1, 0]


def test_an_audience_is_claimed_by_one_of_many_at_once(database: Store, expansions: Expansions) -> None:
    for _ in range(12):
        accepted(database)
    shares = at_once(*(lambda n=n: [claim(expansions, f"w{n}") for _ in range(12)] for n in range(4)))
    claimed = [found.notification.id for share in shares for found in share if found is not None]
    assert len(claimed) == len(set(claimed)) == 12


def test_a_dead_owners_audience_is_claimed_again_at_its_cursor(database: Store, expansions: Expansions) -> None:
    notification = accepted(database)
    claim(expansions, "dead")
    assert expansions.advance(notification.id, "dead", ("", "u5"), 5, last=False)
    assert claim(expansions, "two", 29) is None
    found = claim(expansions, "two", 30)
    assert found is not None
    assert (found.notification.id, found.cursor) == (notification.id, "u5")


def test_a_scheduled_notification_is_claimed_once_its_time_has_come_and_it_was_released(
    database: Store, expansions: Expansions
) -> None:
    accepted(database, state=State.SCHEDULED, send_at=after(60))
    assert claim(expansions, seconds=60) is None
    assert expansions.release(after(59)) == 0
    assert expansions.release(after(60)) == 1
    assert claim(expansions, seconds=60) is not None


def test_a_cancelled_audience_is_expanded_and_stays_cancelled(database: Store, expansions: Expansions) -> None:
    notification = accepted(database)
    Notifications(database).cancel(notification.id)
    found = claim(expansions)
    assert found is not None
    assert found.notification.state is State.CANCELLED
    assert stored(database, notification)["state"] == "cancelled"


def test_each_page_moves_the_cursor_and_counts_its_recipients(database: Store, expansions: Expansions) -> None:
    notification = accepted(database)
    claim(expansions)
    assert expansions.advance(notification.id, "one", ("", "u5"), 5, last=False)
    assert expansions.advance(notification.id, "one", ("u5", "u7"), 2, last=True)
    document = stored(database, notification)
    assert (document["cursor"], document["recipients"], document["expanded"]) == ("u7", 7, True)
    assert document["owner"] is None
    assert claim(expansions, seconds=9999) is None


@pytest.mark.parametrize("last", [True, False])
def test_who_has_lost_the_lease_moves_no_cursor(database: Store, expansions: Expansions, last: bool) -> None:
    notification = accepted(database)
    claim(expansions)
    claim(expansions, "two", 30)
    before = stored(database, notification)
    assert not expansions.advance(notification.id, "one", ("", "u5"), 5, last=last)
    assert stored(database, notification) == before


def test_a_page_that_was_passed_is_not_passed_again(database: Store, expansions: Expansions) -> None:
    notification = accepted(database)
    claim(expansions)
    for cursors, last in ((("", "u5"), False), (("u5", "u7"), True)):
        assert expansions.advance(notification.id, "one", cursors, 2, last=last)
        assert not expansions.advance(notification.id, "one", cursors, 2, last=last)
    assert stored(database, notification)["recipients"] == 4


def test_a_page_is_covered_when_the_cursor_has_passed_its_beginning(database: Store, expansions: Expansions) -> None:
    notification = accepted(database, ttl=60)
    claim(expansions)
    nobodys = new_id()
    assert expansions.progress([notification.id, nobodys]) == {
        notification.id: Progress(State.DISPATCHING, after(60), "", False)
    }
    expansions.advance(notification.id, "one", ("", "u5"), 5, last=False)
    progress = expansions.progress([notification.id])[notification.id]
    assert [progress.covers(page) for page in ("", "u4", "u5", "u6")] == [True, True, False, False]


def test_an_expanded_audience_covers_every_page_also_when_it_had_nobody() -> None:
    assert Progress(State.DISPATCHING, NOON, "", True).covers("")


def test_a_renewed_lease_lasts_longer_and_no_other_does(database: Store, expansions: Expansions) -> None:
    mine, also_mine = accepted(database, created_at=after(-2)), accepted(database, created_at=after(-1))
    theirs = accepted(database)
    for owner in ("one", "one", "two"):
        claim(expansions, owner)
    expansions.renew([mine.id, theirs.id], "one", after(60))
    due = [stored(database, notification)["due_at"] for notification in (mine, also_mine, theirs)]
    assert due == [after(60), after(30), after(30)]


def test_who_resigns_leaves_everything_to_others_at_once(database: Store, expansions: Expansions) -> None:
    mine, theirs = accepted(database, created_at=after(-1)), accepted(database)
    claim(expansions, "one")
    claim(expansions, "two")
    expansions.resign("one", after(1))
    found = claim(expansions, "three", 1)
    assert found is not None
    assert found.notification.id == mine.id
    assert stored(database, theirs)["owner"] == "two"


def test_reaping_takes_the_names_of_dead_owners_off_and_of_no_others(database: Store, expansions: Expansions) -> None:
    dead, living = accepted(database, created_at=after(-1)), accepted(database)
    claim(expansions, "dead")
    claim(expansions, "living")
    expansions.renew([living.id], "living", after(60))
    assert expansions.reap(after(30)) == 1
    assert expansions.reap(after(30)) == 0
    assert [stored(database, notification)["owner"] for notification in (dead, living)] == [None, "living"]


def test_a_notification_is_finished_once_it_is_expanded_and_only_from_dispatching(
    database: Store, expansions: Expansions
) -> None:
    begun = accepted(database)
    claim(expansions)
    assert expansions.finish([begun.id]) == 0
    ended = expanded(database, expansions)
    assert expansions.finish([ended.id]) == 1
    assert expansions.finish([ended.id]) == 0
    assert stored(database, ended)["state"] == "done"
    cancelled = expanded(database, expansions)
    Notifications(database).cancel(cancelled.id)
    assert expansions.finish([cancelled.id]) == 0


def test_what_has_expired_is_open_expanded_and_beyond_its_time(database: Store, expansions: Expansions) -> None:
    due, closed, later = (expanded(database, expansions, ttl=ttl) for ttl in (60, 60, 61))
    accepted(database, ttl=1)
    expansions.close(closed.id)
    assert expansions.expired(after(60), 9) == [due.id]
    assert set(expansions.expired(after(61), 9)) == {due.id, later.id}
    assert len(expansions.expired(after(61), 1)) == 1


def test_a_closed_notification_is_done_and_never_expires_again(database: Store, expansions: Expansions) -> None:
    notification = expanded(database, expansions, ttl=60)
    expansions.close(notification.id)
    document = stored(database, notification)
    assert (document["open"], document["state"]) == (False, "done")
    assert expansions.expired(after(9999), 9) == []


def test_the_next_release_is_that_of_the_earliest_scheduled_notification(
    database: Store, expansions: Expansions
) -> None:
    assert expansions.next_release() is None
    accepted(database, created_at=after(-60))
    for seconds in (90, 60):
        accepted(database, state=State.SCHEDULED, send_at=after(seconds))
    assert expansions.next_release() == after(60)
    assert expansions.release(after(60)) == 1
    assert expansions.next_release() == after(90)
