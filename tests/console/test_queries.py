from datetime import UTC, date, datetime

import pytest

from notify_server.api.paging import encode
from notify_server.console import queries


@pytest.fixture
def read(console):
    def asked(address, schema=queries.NotificationsSchema):
        with console.test_request_context(f"/?{address}"):
            return queries.read(schema), queries.cursor()

    return asked


def test_what_is_left_empty_is_not_asked_for(read):
    asked, after = read("category=&state=+&other=1")
    assert (asked.values, asked.given, asked.faults, asked.is_narrowed, after) == ({}, {}, {}, False, None)


def test_fields_are_read_as_what_they_are(read):
    asked, _ = read("state=done&from=2026-12-01&category=news")
    assert asked.values == {"state": "done", "from": date(2026, 12, 1), "category": "news"}
    assert asked.is_narrowed


def test_each_fault_stands_by_its_field_and_nothing_is_looked_up(read):
    asked, _ = read("state=nowhere&from=yesterday&category=a/b")
    assert sorted(asked.faults) == ["category", "from", "state"]
    assert asked.values == {}
    assert asked.given["from"] == "yesterday"


@pytest.mark.parametrize("day", ["1969-12-31", "2100-01-01", "9999-12-31"])
def test_a_day_out_of_all_reason_is_a_fault(read, day):
    assert read(f"to={day}")[0].faults == {"to": "Must lie between 1970 and 2099."}


def test_periods_have_a_default_and_only_some_lengths(read):
    assert read("", queries.PeriodSchema)[0].values == {"days": 30, "timezone": "UTC"}
    assert sorted(read("days=31&timezone=Mars", queries.PeriodSchema)[0].faults) == ["days", "timezone"]


@pytest.mark.parametrize("cursor", ["", "?", "eA", "ä"])
def test_what_is_no_cursor_of_ours_leads_to_the_first_page(read, cursor):
    assert read(f"cursor={cursor}")[1] is None


@pytest.mark.parametrize("mail", ["0123456789abcdef" * 2 + "01234567", "x", "6b007bddabf10665a8c867db"])
def test_a_cursor_of_mails_names_a_mail(console, mail):
    with console.test_request_context(f"/?cursor={encode(mail)}"):
        assert queries.mail_cursor() == (mail if len(mail) == 40 else None)
    with console.test_request_context("/?cursor=?"):
        assert queries.mail_cursor() is None


def test_days_begin_and_end_in_utc():
    asked = queries.Asked({"from": date(2026, 12, 1), "to": date(2026, 12, 31), "category": "c"}, {}, {})
    assert queries.filters(asked, "start", "end") == {
        "category": "c",
        "start": datetime(2026, 12, 1, tzinfo=UTC),
        "end": datetime(2027, 1, 1, tzinfo=UTC),
    }
    assert queries.filters(queries.Asked({}, {}, {}), "from", "to") == {"from": None, "to": None}
