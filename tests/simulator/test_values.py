from typing import Any

import pytest

from notify_server.simulator import values


@pytest.mark.parametrize(
    ("value", "good"),
    [
        ("0s", True),
        ("3.000000001s", True),
        ("-5s", True),
        ("3", False),
        ("s", False),
        ("1.s", False),
        (3, False),
        ("1m", False),
    ],
)
def test_durations(value: Any, good: bool) -> None:
    assert (values.duration(value) is None) is good


@pytest.mark.parametrize(
    ("value", "good"),
    [
        ("2026-11-20T10:00:00Z", True),
        ("2026-11-20T10:00:00.123456789+02:00", True),
        ("2026-13-20T10:00:00Z", False),
        ("2026-11-20T10:00:00", False),
        ("2026-11-20", False),
        (1, False),
    ],
)
def test_timestamps(value: Any, good: bool) -> None:
    assert (values.timestamp(value) is None) is good


@pytest.mark.parametrize(
    ("value", "good"),
    [
        (0, True),
        (2**31 - 1, True),
        (-(2**31), True),
        (5.0, True),
        ("7", True),
        (2**31, False),
        (1.5, False),
        (True, False),
        ("x", False),
    ],
)
def test_whole_numbers(value: Any, good: bool) -> None:
    assert (values.int32(value) is None) is good


@pytest.mark.parametrize(("value", "good"), [(1, True), (0.5, True), (False, False), ("1", False)])
def test_numbers(value: Any, good: bool) -> None:
    assert (values.number(value) is None) is good


def test_strings_and_flags() -> None:
    assert [values.string(value) for value in ("", 1)] == [None, "TYPE_STRING"]
    assert [values.boolean(value) for value in (True, 1, "true")] == [None, "TYPE_BOOL", "TYPE_BOOL"]


def test_names_in_either_case_and_no_others() -> None:
    check = values.enum("x.Priority", frozenset({"HIGH"}))
    wanted = "type.googleapis.com/x.Priority"
    assert [check(value) for value in ("HIGH", "high", "LOW", 1)] == [None, None, wanted, wanted]
