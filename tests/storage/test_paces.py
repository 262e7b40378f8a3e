from datetime import datetime

import pytest

from notify_server.domain.notification import Channel
from notify_server.domain.pace import Limits, Pace
from notify_server.domain.registry import Reason
from notify_server.storage.documents import Store
from notify_server.storage.paces import Paces
from tests.builders import NOON, after, at_once

LIMITS = Limits(rate=1000.0, ramp=60.0)


@pytest.fixture
def paces(database: Store) -> Paces:
    return Paces(database)


def test_a_channel_that_was_never_used_has_a_fresh_pace(paces: Paces) -> None:
    assert paces.get(Channel.PUSH) == Pace()


def test_a_changed_pace_is_read_back_whole(paces: Paces) -> None:
    made = Pace(after(-9), after(-1), 0.25, after(-2), after(20), Reason.UNAVAILABLE, 3, after(-1), "one")
    assert paces.change(Channel.PUSH, lambda _: made) == made
    found = paces.get(Channel.PUSH)
    assert found == made
    assert isinstance(found.reason, Reason)


def test_a_change_begins_from_what_is_stored(paces: Paces) -> None:
    paces.change(Channel.PUSH, lambda pace: pace.busy(LIMITS, NOON, 0.5))
    changed = paces.change(Channel.PUSH, lambda pace: pace.broken(Reason.UNAVAILABLE, after(5)))
    assert (changed.busy_at, changed.paused_until) == (NOON, after(15))
    assert paces.change(Channel.PUSH, Pace.healed) == paces.get(Channel.PUSH) == Pace().busy(LIMITS, NOON, 0.5)


def test_the_channels_have_paces_of_their_own(paces: Paces) -> None:
    paces.change(Channel.PUSH, lambda pace: pace.throttled(NOON))
    assert paces.get(Channel.EMAIL) == Pace()


def test_what_changes_nothing_writes_nothing(paces: Paces, database: Store) -> None:
    assert paces.change(Channel.PUSH, lambda pace: pace) == Pace()
    assert database["paces"].count_documents({}) == 0
    paces.change(Channel.PUSH, lambda pace: pace.busy(LIMITS, NOON, 0.5))
    before = database["paces"].find_one()
    paces.change(Channel.PUSH, lambda pace: pace)
    assert database["paces"].find_one() == before


def test_of_changes_made_at_once_none_is_lost(paces: Paces) -> None:
    def break_often(start: datetime) -> None:
        for _ in range(4):
            paces.change(Channel.PUSH, lambda pace: Pace(busy_at=start, failures=pace.failures + 1))

    at_once(*(lambda number=number: break_often(after(number)) for number in range(4)))
    assert paces.get(Channel.PUSH).failures == 16
