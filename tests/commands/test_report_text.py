from dataclasses import replace
from datetime import UTC, datetime, timedelta

from notify_server.commands.report_text import course_lines, lines
from notify_server.domain.intervals import Interval
from notify_server.domain.periods import Period
from notify_server.domain.tally import step
from notify_server.services.figures import Course
from notify_server.services.statistics import Counted, Question, report

START = datetime(2026, 11, 23, 23, tzinfo=UTC)
TALLIES = [
    {"sent": 250, "received": 250, "read": 500, "received@1000": 750, "read@3000": 500},
    {"failed": 2, "failed:unregistered": 2, "read": 1, "sent": 1},
]
QUESTION = Question(interval=Interval.DAY, timezone="Europe/Vienna")
ENTERED = [(START + timedelta(days=day), tally) for day, tally in enumerate(TALLIES)]


def told(question=QUESTION):
    return report(question, Period(START, START + timedelta(days=3)), Counted(ENTERED), START + timedelta(days=2))


def test_a_report_is_a_head_a_table_and_a_chart_in_its_own_time_zone():
    found = "\n".join(lines("group class-101", told()))
    assert found.startswith(
        "group class-101: 2026-11-24 00:00 to 2026-11-27 00:00 Europe/Vienna\nas of 2026-11-26 00:00"
    )
    assert "1,004 recipients, 251 sent, 250 received, 501 read, 2 failed" in found
    assert "delivered 74.8%, read 49.9%" in found
    assert "2026-11-24       1,000" in found
    assert "█" * 15 + "▒" * 7 + "░" * 8 in found
    assert found.splitlines()[-1] == "         2  failed: unregistered"


def test_a_time_is_told_in_the_unit_that_suits_it():
    found = "\n".join(lines("g", told()))
    assert "time to receive: half within 28.5 min, nine tenths within 28.5 min" in found
    times = {f"received@{step(timedelta(seconds=seconds))}": 1 for seconds in (0.0625, 7200)}
    entered = [(START, {"received": 2, **times})]
    short = report(QUESTION, Period(START, START + timedelta(days=1)), Counted(entered), START)
    assert "time to receive: half within 0.1 s, nine tenths within 2.0 h" in "\n".join(lines("g", short))


def test_the_columns_stand_below_each_other_and_no_line_ends_in_blanks():
    rows = list(lines("g", told()))
    table = [row for row in rows if row.startswith("2026-11-2") or "RECIPIENTS" in row]
    assert len({row.index("RECIPIENTS") + 10 for row in table if "RECIPIENTS" in row}) == 1
    assert len(table) == 4
    assert all(row == row.rstrip() for row in rows)


def test_nothing_is_told_without_a_division_by_zero():
    empty = report(QUESTION, Period(START, START + timedelta(days=1)), Counted([]), START)
    found = "\n".join(lines("g", empty))
    assert "0 recipients" in found
    assert "delivered -, read -" in found


def test_channels_are_told_of_where_there_is_more_than_push():
    assert "BY CHANNEL" not in "\n".join(lines("g", told()))
    tally = {"sent": 1, "email/sent": 1, "email/read": 1, "beside/sent": 1, "read": 1100}
    mailed = report(QUESTION, Period(START, START + timedelta(days=1)), Counted([(START, tally)]), START)
    assert [row.split() for row in list(lines("g", mailed))[-3:]] == [
        ["BY", "CHANNEL", "SENT", "RECEIVED", "READ", "FAILED", "BOUNCED", "SUPPRESSED"],
        ["push", "1,100", "-", "-", "0", "-", "-"],
        ["email", "1", "0", "1", "0", "0", "0"],
    ]


def test_the_period_before_is_told_where_it_was_asked_for():
    assert "before, from 2026-11-21 00:00: 0 recipients" in "\n".join(lines("g", told(replace(QUESTION, compare=True))))


def test_a_notification_has_its_funnel_as_bars():
    funnel = {"recipients": 1004, "sent": 1002, "received": 751, "read": 502}
    found = list(course_lines("notification n", Course(told(), funnel, [])))
    assert [row.split()[0] for row in found[-4:]] == ["recipients", "sent", "received", "read"]
    assert [row.count("█") for row in found[-4:]] == [30, 30, 22, 15]
