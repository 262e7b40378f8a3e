import pytest

from notify_server.domain.outcome import ACCEPTED, Kind, Outcome
from notify_server.domain.registry import Reason
from notify_server.services.refusals import Refusals

QUOTA = Outcome(Kind.RETRY, Reason.QUOTA_EXCEEDED)
BUSY = Outcome(Kind.RETRY, Reason.UNAVAILABLE)


@pytest.mark.parametrize(("refused", "too_many"), [(0, False), (1, False), (14, False), (15, True), (500, True)])
def test_three_of_a_hundred_are_too_many(refused: int, too_many: bool) -> None:
    assert Refusals().too_many([QUOTA] * refused + [ACCEPTED] * (500 - refused)) is too_many


def test_a_few_refusals_of_single_messages_are_not_too_many() -> None:
    refusals = Refusals()
    assert [refusals.too_many([QUOTA]) for _ in range(6)] == [False, False, False, False, True, True]


def test_what_was_long_ago_does_not_count() -> None:
    refusals = Refusals()
    assert not refusals.too_many([QUOTA] * 4 + [ACCEPTED] * 900)
    assert not refusals.too_many([ACCEPTED] * 200)
    assert not refusals.too_many([QUOTA] * 4)


def test_where_nothing_is_refused_nothing_is_slowed() -> None:
    refusals = Refusals()
    assert refusals.too_many([QUOTA] * 100)
    assert not refusals.too_many([ACCEPTED, BUSY])
