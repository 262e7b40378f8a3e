"""`notify-server stats …` on a real database; what it prints is tried in test_report_text.py."""

import json
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from notify_server.storage.users import Users
from tests.statistics_world import World, counts

BEGIN = datetime(2026, 10, 20, tzinfo=UTC)
PERIOD = ("--from", "2026-10-20", "--to", "2026-11-03")


@pytest.fixture
def world(database):
    made = World(database, Random(4))  # noqa: S311 - not a secret
    for hour in range(40):
        made.notify(BEGIN + timedelta(hours=8 * hour))
    made.count()
    Users(database).mention(made.users, None, BEGIN)
    return made


def test_each_subject_has_a_command_that_answers_as_the_api_does(run, world):
    subjects = {"group": "choir", "community": "school-1", "category": "news", "user": "u03"}
    for kind, key in subjects.items():
        found = json.loads(run("stats", kind, key, *PERIOD, "--interval", "week", "--json").stdout)
        expected = counts(entry for _, entry in world.entries(BEGIN, BEGIN + timedelta(days=14), **{kind: key}))
        assert found["totals"]["recipients"] == expected["recipients"] > 0
        assert [row["period"] for row in found["series"]] == ["2026-W43", "2026-W44", "2026-W45"]
    everything = json.loads(run("stats", "overview", *PERIOD, "--category", "news", "--compare", "--json").stdout)
    news = json.loads(run("stats", "category", "news", *PERIOD, "--json").stdout)
    assert everything["totals"] == news["totals"]
    assert everything["previous"]["totals"]["recipients"] == 0


def test_a_table_and_a_chart_are_printed(run, world):
    done = run("stats", "group", "choir", *PERIOD, "--timezone", "Asia/Kathmandu").stdout
    assert done.startswith("group choir: 2026-10-20 00:00 to 2026-11-03 00:00 Asia/Kathmandu\n")
    assert "RECIPIENTS" in done
    assert "█" in done
    notification = min(world.notifications)
    course = run("stats", "notification", notification).stdout
    assert course.startswith(f"notification {notification}: 2026-10-20")
    assert "\nrecipients           6" in course


def test_the_last_days_are_whole_days_and_hours_end_now(run, world):
    found = json.loads(run("stats", "overview", "--last", "30d", "--timezone", "Asia/Kathmandu", "--json").stdout)
    assert found["from"][11:] == "18:15:00.000Z"
    assert len(found["series"]) == 30
    hours = json.loads(run("stats", "overview", "--last", "24h", "--interval", "hour", "--json").stdout)
    assert len(hours["series"]) in (24, 25, 26)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("group", "nowhere"), "There is no group 'nowhere'."),
        (("notification", "0" * 24), "There is no notification"),
        (("overview", "--timezone", "Vienna"), "timezone: Must be a name of the IANA time zone database"),
        (("overview", "--from", "yesterday"), "from: Must be a time with an offset"),
        (("overview", "--from", "2026-13-01"), "from: Must be a time with an offset"),
        (("overview", "--from", "2026-10-20", "--to", "2026-10-19"), "to: Must be later than from."),
    ],
)
def test_what_has_no_answer_is_one_line(run, world, arguments, problem):
    done = run("stats", *arguments, expect=1)
    assert done.stderr.startswith(problem)
    assert done.stderr.count("\n") == 1


def test_two_ways_to_name_a_period_are_one_too_many(run, world):
    assert "--last" in run("stats", "overview", "--last", "7d", "--to", "2026-10-20", expect=2).stderr
