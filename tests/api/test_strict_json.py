import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify_server.api import strict_json
from notify_server.api.strict_json import MAX_DEPTH, MAX_ITEMS, MAX_MEMBERS
from notify_server.errors import InvalidInput, Refused

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
NAMES = TEXT.filter(lambda name: not name.startswith("$"))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(-(2.0**62), 2.0**62) | TEXT,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(NAMES, inner, max_size=5),
    max_leaves=10,
)


def refusal(body: bytes) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        strict_json.loads(body)
    return caught.value


@given(VALUES)
def test_whatever_is_harmless_is_read_as_json_reads_it(value):
    assert strict_json.loads(json.dumps(value).encode()) == value
    assert strict_json.loads(json.dumps(value, ensure_ascii=False).encode()) == value


@given(VALUES, VALUES, st.sampled_from([2**63, 1e300, "\0", "\ud800", {"$ne": 1}, {"\0": 1}, [{"a": {"$a": "b"}}]]))
def test_what_is_refused_is_found_wherever_it_is(before, after, refused):
    (named,) = refusal(json.dumps([before, refused, after]).encode()).errors
    assert named.split(".")[0] == "1"


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b" ", b"{", b"{'a': 1}", b'{"a": 1,}', b"<a/>", b"a=1", b"{} {}", b"nul", b"01", b'"\t"'),
        *(
            b"NaN",
            b"-Infinity",
            b'{"a": Infinity}',
            b"\xff\xfe",
            b"\xef\xbb\xbf{}",
            '"\ud800"'.encode("utf-8", "surrogatepass"),
        ),
        *("{}".encode("utf-16"), b"9" * 5000, b"[" * 100_000, b'{"a":' * 100_000, b"\x00", b'"\x00"'),
    ],
    ids=lambda body: repr(body[:12]),
)
def test_what_is_not_json_in_utf_8_is_refused_with_400(body):
    with pytest.raises(Refused) as caught:
        strict_json.loads(body)
    assert type(caught.value) is Refused
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (rb'"a\u0000b"', "body"),
        (rb'["\ud800"]', "0"),
        (rb'{"a": {"b": [1, "\udfff"]}}', "a.b.1"),
        (rb'{"a": {"\u0000": 1}}', "a"),
        (rb'{"\udc00": 1}', "body"),
        (b'{"$where": 1}', "$where"),
        (b'{"a": [{"$ne": 1}]}', "a.0.$ne"),
        (b'{"a": 1, "a": 1}', "a"),
        (b'{"a": {"b": 1, "c": 2, "b": 3}}', "a.b"),
        (b'[{"a": 1, "\\u0061": 2}]', "0.a"),
        (b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), ".".join("0" * MAX_DEPTH)),
        (b'{"a":' * 500 + b"1" + b"}" * 500, ".".join("a" * MAX_DEPTH)),
        (b'{"a": 1e400}', "a"),
        (b'{"a": [-1e400]}', "a.0"),
        (b'{"a": 1e19}', "a"),
        (b'{"a": %d}' % 2**63, "a"),
        (b'{"a": %d}' % (-(2**63) - 1), "a"),
        (b"1e999", "body"),
        (json.dumps({"a": dict.fromkeys(map(str, range(MAX_MEMBERS + 1)))}).encode(), "a"),
        (json.dumps({"a": [0] * (MAX_ITEMS + 1)}).encode(), "a"),
    ],
)
def test_what_something_behind_us_could_trip_over_is_refused_with_its_path(body, path):
    assert refusal(body).errors.keys() == {path}


def test_every_fault_is_named_at_once():
    body = rb'{"a": "\u0000", "b": {"$c": "\ud800"}, "d": ["x", "\u0000"]}'
    assert refusal(body).errors.keys() == {"a", "b.$c", "d.1"}
    assert len(refusal(body).errors["b.$c"]) == 2


@pytest.mark.parametrize(
    "value",
    [[0] * MAX_ITEMS, dict.fromkeys(map(str, range(MAX_MEMBERS))), {"a.b": {"c$": "😀 $"}, "": ""}],
    ids=["longest array", "largest object", "dots and dollars"],
)
def test_the_largest_and_the_oddest_values_pass(value):
    assert strict_json.loads(json.dumps(value).encode()) == value


def test_the_deepest_value_passes():
    assert strict_json.loads(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)


def test_one_name_of_very_many_that_repeats_is_found_in_one_pass():
    body = "{" + ",".join(f'"{n}":1' for n in range(200_000)) + ',"199999":1}'
    assert refusal(body.encode()).errors.keys() == {"body"}
