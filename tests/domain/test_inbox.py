import pytest

from notify_server.domain.inbox import VISIBLE, Place, place
from notify_server.domain.registry import Event, Status, allowed

SEEN = {Status.PENDING, Status.SENT, Status.RECEIVED, Status.FAILED}
GONE = {Status.SUPPRESSED, Status.EXPIRED, Status.CANCELLED}


@pytest.mark.parametrize("status", Status)
def test_every_status_has_its_place(status: Status) -> None:
    expected = Place.READ if status is Status.READ else Place.UNREAD if status in SEEN else Place.HIDDEN
    assert place(status) is expected


def test_no_status_is_both_seen_and_gone() -> None:
    assert {status for status in Status if place(status) is Place.HIDDEN} == GONE
    assert Place.HIDDEN not in VISIBLE


def test_no_event_moves_a_read_entry_so_that_none_undoes_the_users_own_mark() -> None:
    assert not any(allowed(event, Status.READ) for event in Event)
