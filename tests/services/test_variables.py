from datetime import timedelta

import pytest

from notify_server.domain.template import Variable, VariableType
from notify_server.errors import InvalidInput
from notify_server.services.link_policy import LinkPolicy
from notify_server.services.variables import MAX_ITEMS, MAX_STRING, Variables

VARIABLES = Variables(LinkPolicy(("https",), ("example.org", "*.example.net")))
DECLARED = {"name": Variable(VariableType.STRING), "seat": Variable(VariableType.STRING, required=False)}


def one(kind, value):
    return VARIABLES.read({"x": Variable(VariableType(kind))}, {"x": value})["x"]


def refused(kind, value):
    with pytest.raises(InvalidInput) as refusal:
        one(kind, value)
    assert refusal.value.errors.keys() == {"variables.x"}
    return refusal.value.errors["variables.x"][0]


def test_every_declared_name_has_a_value():
    assert VARIABLES.read(DECLARED, {"name": "Ada"}) == {"name": "Ada", "seat": None}
    assert VARIABLES.read(DECLARED, {"name": "Ada", "seat": "B7"}) == {"name": "Ada", "seat": "B7"}


@pytest.mark.parametrize(
    ("given", "at_fault"),
    [
        ({}, ["variables.name"]),
        ({"name": None}, ["variables.name"]),
        ({"name": "a", "nmae": "b", "price": 1}, ["variables.nmae", "variables.price"]),
        ({"name": 1, "seat": []}, ["variables.name", "variables.seat"]),
    ],
)
def test_what_is_missing_undeclared_or_of_another_type_is_named_all_at_once(given, at_fault):
    with pytest.raises(InvalidInput) as refusal:
        VARIABLES.read(DECLARED, given)
    assert sorted(refusal.value.errors) == at_fault


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("string", "two\nlines"),
        ("string", ""),
        ("integer", -3),
        ("number", 2.5),
        ("number", 2),
        ("boolean", False),
        ("url", "https://example.org/a?b=c#d"),
        ("list", ["a", 1, None, True, {"name": "b", "count": 2}]),
        ("list", []),
    ],
)
def test_a_value_of_its_type_is_taken_as_it_is(kind, value):
    assert one(kind, value) == value


def test_a_time_keeps_its_own_offset():
    assert one("datetime", "2026-12-01T10:00:00+01:00").utcoffset() == timedelta(hours=1)
    assert one("datetime", "2026-12-01t10:00:00z").utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("string", 1),
        ("string", "a\u202eb"),
        ("string", "\ue000"),  # the mark of a user's field
        ("string", "a\0b"),
        ("string", "x" * (MAX_STRING + 1)),
        ("integer", True),
        ("integer", 1.0),
        ("integer", 10**16),
        ("number", "1"),
        ("number", True),
        ("number", float("nan")),
        ("boolean", 1),
        ("datetime", "2026-12-01"),
        ("datetime", "2026-12-01T10:00:00"),
        ("datetime", "2026-02-30T10:00:00Z"),
        ("datetime", "0001-01-01T10:00:00Z"),
        ("datetime", 1),
        ("url", "javascript:alert(1)"),
        ("url", "http://example.org"),
        ("url", "https://evil.example"),
        ("url", 'https://example.org/"onclick="x'),
        ("url", "https://example.org/" + "x" * 3000),
        ("url", None),
        ("list", "a"),
        ("list", ["x"] * (MAX_ITEMS + 1)),
        ("list", [["nested"]]),
        ("list", [{"a": {"b": 1}}]),
        ("list", [{"a": "\ue000"}]),
        ("list", [{"\u202e": "a"}]),
        ("list", [{str(number): 1 for number in range(MAX_ITEMS + 1)}]),
    ],
)
def test_what_is_not_of_the_type_is_refused(kind, value):
    assert refused(kind, value)


def test_text_is_taken_in_its_one_normal_form():
    assert one("string", "a\u0308") == "\xe4"


def test_all_together_have_a_limit():
    declared = {f"v{number}": Variable(VariableType.STRING) for number in range(9)}
    with pytest.raises(InvalidInput) as refusal:
        VARIABLES.read(declared, dict.fromkeys(declared, "x" * MAX_STRING))
    assert refusal.value.errors.keys() == {"variables"}
