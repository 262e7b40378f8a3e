from notify_server.domain.statistics import Part
from notify_server.services.verdict import Difference, between
from tests.builders import NOON, after


def test_sums_that_are_equal_do_not_differ() -> None:
    whole = Part(NOON, None, {"sent": 2, "read": 0})
    halves = [Part(NOON, None, {"sent": 1}), Part(NOON, None, {"sent": 1})]
    assert between("it", halves, [whole]) is None
    assert between("it", [], []) is None


def test_what_differs_is_named_by_quarter_group_and_count() -> None:
    found = [Part(NOON, None, {"sent": 2, "read": 1})]
    expected = [Part(NOON, None, {"sent": 2, "read": 4}), Part(after(900), "chess", {"sent": 1})]
    assert between("it", found, expected) == Difference(
        "it",
        {"2026-11-20T12:00 read": 1, "2026-11-20T12:15 group chess sent": 0},
        {"2026-11-20T12:00 read": 4, "2026-11-20T12:15 group chess sent": 1},
    )
