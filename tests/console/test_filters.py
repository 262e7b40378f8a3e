from datetime import UTC, datetime, timedelta, timezone

import pytest

from notify_server.console import filters

AT = datetime(2026, 12, 1, 9, 5, 7, 123456, tzinfo=UTC)


@pytest.mark.parametrize(("value", "shown"), [(0, "0"), (1234567, "1,234,567"), (None, "–")])
def test_counts(value, shown):
    assert filters.count(value) == shown


@pytest.mark.parametrize(("value", "shown"), [(0, "0.0 %"), (0.1234, "12.3 %"), (1, "100.0 %"), (None, "–")])
def test_shares(value, shown):
    assert filters.share(value) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0 ms"), (0.0421, "42 ms"), (2.44, "2.4 s"), (59.4, "59 s"),
        (599, "9 min 59 s"), (1483, "24 min"), (46_000, "12 h"), (60, "1 min"), (185, "3 min 5 s"),
        (7500, "2 h 5 min"), (3605, "1 h"), (97_200, "1 d 3 h"), (86_400, "1 d"), (None, "–"),
    ],
)  # fmt: skip
def test_spans(seconds, shown):
    assert filters.span(seconds) == shown


def test_times_are_utc_and_machines_can_read_them():
    local = AT.astimezone(timezone(timedelta(hours=2)))
    assert filters.moment(local) == '<time datetime="2026-12-01T09:05:07.123Z">1 Dec 2026, 09:05:07</time>'
    assert filters.clock(local) == '<time datetime="2026-12-01T09:05:07.123Z">09:05:07.123</time>'
    assert filters.moment(None) == filters.clock(None) == "–"
