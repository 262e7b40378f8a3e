import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import ValidationError

from notify_server.api.schemas.notification import NotificationSchema
from notify_server.api.schemas.plain_notification import MAX_NAMED, faultless
from notify_server.domain.notification import MAX_USERS

EXAMPLE = json.loads((Path(__file__).parents[3] / "examples" / "booking.json").read_text())
STRANGE = st.sampled_from(
    [
        "",
        ".",
        "..",
        "a/b",
        "a\nb",
        "a\tb",
        "\u202e",
        "\u200b",
        "e\u0301",
        "ä",
        "Z" + "\u0301" * 10,
        "\u3164",
        "\ue000",
        "x" * 129,
    ]
)
TEXTS = st.one_of(st.text(max_size=8), STRANGE, st.sampled_from(["t" * 1024, "t" * 1025, "b" * 4096, "b" * 4097]))
IDS = st.one_of(st.text("abc1-_.", min_size=1, max_size=4), STRANGE)
URLS = st.one_of(
    st.builds("{}{}{}".format, st.sampled_from(["https://", "http://", "app://", "HTTPS://", "//"]), IDS, IDS),
    st.sampled_from(
        [
            "https://a.org",
            "https://a.org/b?c=d",
            "https://a.org:443/",
            "https://a.org/%zz",
            "https://ä.org",
            "https://a.org?x",
        ]
    ),
    st.builds("https://a.org/{}".format, st.sampled_from(["x" * 999, "x" * 2040])),
)
OTHERS = st.sampled_from([None, True, 0, 1.5, "x", [], {}, [None], [1], {"a": 1}, 2**63 - 1])
KEYS = st.one_of(
    IDS,
    st.sampled_from(["__proto__", "constructor", "prototype", "$a", ".a", "k" * 256, "k" * 257, "link", "google.x"]),
)


def sometimes(usual: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Mostly what is usual, now and then anything else."""
    return st.one_of(usual, usual, usual, usual, usual, usual, OTHERS)


MESSAGES = st.fixed_dictionaries(
    {},
    optional={
        "title": sometimes(TEXTS),
        "body": sometimes(TEXTS),
        "image": sometimes(URLS),
        "link": sometimes(URLS),
        "data": sometimes(st.dictionaries(KEYS, sometimes(TEXTS), max_size=3)),
        "colour": TEXTS,
    },
)
PAYLOADS = st.fixed_dictionaries(
    {"message": sometimes(MESSAGES)},
    optional={
        "users": sometimes(st.lists(IDS, max_size=4)),
        "groups": sometimes(st.lists(IDS, max_size=4)),
        "communities": sometimes(st.lists(IDS, max_size=4)),
        "everyone": sometimes(st.booleans()),
        "category": sometimes(IDS),
        "community": sometimes(IDS),
        "channels": sometimes(st.lists(st.sampled_from(["push", "realtime", "email", "fax"]), max_size=3)),
        "priority": sometimes(st.sampled_from(["high", "normal", "HIGH"])),
        "ttl": sometimes(st.sampled_from([0, 1, 60, 2_419_200, 2_419_201, 60.0, "60"])),
        "mandatory": sometimes(st.booleans()),
        "unknown": TEXTS,
    },
)


def by_schema(payload: Any) -> Any:
    """What the schema's own way, field by field, makes of it; None where it refuses it."""
    try:
        return super(NotificationSchema, NotificationSchema()).load(payload)
    except ValidationError:
        return None


@settings(max_examples=400)
@given(PAYLOADS)
def test_what_is_read_at_once_is_what_the_schema_makes_of_it(payload: Any) -> None:
    draft = faultless(payload)
    assert draft is None or draft == by_schema(payload)


@pytest.mark.parametrize("payload", [None, [], "x", 7, {}, {"message": {"title": "t"}}])
def test_what_is_no_notification_is_left_to_the_schema(payload: Any) -> None:
    assert faultless(payload) is None


@pytest.mark.parametrize(
    "fields",
    [
        EXAMPLE,
        {"message": {"title": "Grüße", "body": "Montag\n9:00"}, "groups": ["g"] * MAX_NAMED},
        {"message": {"data": {"k": "v"}}, "communities": ["c"], "channels": ["realtime", "push", "realtime"]},
        {"message": {"title": "t"}, "users": [f"u{n}" for n in range(MAX_USERS)], "priority": "high", "category": "c"},
    ],
    ids=["example", "text", "data", "users"],
)
def test_ordinary_notifications_are_read_at_once(fields: Any) -> None:
    draft = faultless(fields)
    assert draft is not None
    assert draft == by_schema(fields)


def test_one_user_too_many_is_left_to_the_schema() -> None:
    assert faultless({"message": {"title": "t"}, "users": ["u"] * (MAX_USERS + 1)}) is None
