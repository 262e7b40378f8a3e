from datetime import UTC, datetime, timedelta, timezone

import pytest
from marshmallow import ValidationError

from notify_server.api.schemas.fields import DataKey, Flag, Id, Instant, Link, Locale, Text


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(
            (Id(), value)
            for value in ("", "a/b", ".", "..", "a\0", "a\nb", "\u202e", "\ufffd", "\ud800", "i" * 129, 1, None)
        ),
        *((Flag(), value) for value in (0, 1, "true", None, [])),
        *((Text(3), value) for value in ("", "long", 1, None)),
        *((Locale(), value) for value in ("", "d", "de-", "de AT", "de\n", "*", 7)),
        *((Link("https"), value) for value in ("http://a", "https://a@b", "https://" + "a" * 2048)),
        *((Text(9), value) for value in ("a\nb", "a\u202eb", "a\0", "a\u200b")),
        *((Text(9, lines=True), value) for value in ("a\rb", "a\u202eb", "\u2067a\n")),
        *((DataKey(), value) for value in ("", ".a", "$a", "__proto__", "constructor", "a\0", "k" * 257)),
        *((Link(), value) for value in ("example.org", "javascript:alert(1)", "http://", "http://a\u200bb", "https:a")),
        *(
            (Instant(), value)
            for value in ("", "now", "2026-12-01", "2026-12-01T09:00", "2026-12-01T09:00:00", 0, None)
        ),
        *((Instant(), f"{value}Z") for value in ("2026-W49-2T09:00:00", "20261201T090000", "2026-12-01T24:00:01")),
        *((Instant(), f"{value}-01-01T00:00:00Z") for value in ("0001", "1969", "2100", "9999", "２０２６")),
    ],
)
def test_what_is_none_is_refused(field, value):
    with pytest.raises(ValidationError):
        field.deserialize(value)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *((Id(), value) for value in ("a", "i" * 128, "a b", "...", "$a", "a.b", "Zoë", "日本", "😀", "a%2F", "u:1@x")),
        (Flag(), True),
        (Flag(), False),
        (Text(3), "abc"),
        (Text(9, lines=True), "a\r\n\tb"),
        *((DataKey(), value) for value in ("a.b", "k$", "a b", "ä")),
        *((Locale(), value) for value in ("de", "de-AT", "pt_BR")),
        *((Link(), value) for value in ("http://a", "https://a.b:8443/ä?x=y#z", "HTTPS://[::1]/")),
    ],
)
def test_what_is_one_is_taken_as_it_stands(field, value):
    assert field.deserialize(value) == value


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-12-01T09:00:00Z", datetime(2026, 12, 1, 9, tzinfo=UTC)),
        ("2026-12-01T09:00:00+02:00", datetime(2026, 12, 1, 7, tzinfo=UTC)),
        ("2026-12-01T09:00:00.5-00:30", datetime(2026, 12, 1, 9, 30, 0, 500_000, tzinfo=UTC)),
        ("2026-12-01T09:00:00.123456789Z", datetime(2026, 12, 1, 9, 0, 0, 123_456, tzinfo=UTC)),
        ("2026-12-01 09:00:00Z", datetime(2026, 12, 1, 9, tzinfo=UTC)),
        ("1970-01-01T00:00:00+14:00", datetime(1969, 12, 31, 10, tzinfo=UTC)),
        ("2099-12-31T23:59:59-12:00", datetime(2100, 1, 1, 11, 59, 59, tzinfo=UTC)),
    ],
)
def test_a_time_is_taken_in_utc(text, instant):
    assert Instant().deserialize(text) == instant
    assert Instant().deserialize(text).tzinfo is UTC


def test_a_time_is_shown_in_utc_to_the_millisecond():
    shown = Instant().serialize("at", {"at": datetime(2026, 1, 1, 1, 0, 0, 1_999, timezone(timedelta(hours=2)))})
    assert shown == "2025-12-31T23:00:00.001Z"
    assert Instant().serialize("at", {"at": None}) is None


@pytest.mark.parametrize("field", [Id(), Text(5), Link()], ids=["id", "text", "link"])
def test_text_comes_out_in_normalisation_form_c_and_only_then_is_measured(field):
    prefix = "https://a/" if isinstance(field, Link) else ""
    assert field.deserialize(prefix + "e\u0301" * 5) == prefix + "\u00e9" * 5


def test_an_id_is_the_same_user_however_it_was_typed():
    assert Id().deserialize("Zoe\u0308") == Id().deserialize("Zo\u00eb") == "Zo\u00eb"
    assert len(Id().deserialize("e\u0301" * 128)) == 128
