from datetime import UTC, datetime, timedelta

from notify_server.api.schemas.statistics import NotificationStatisticsSchema, StatisticsSchema, TopGroupsSchema
from notify_server.domain.measures import counted
from notify_server.domain.periods import Period
from notify_server.services.figures import Course
from notify_server.services.rankings import TopList
from notify_server.services.statistics import Counted, Question, report

START = datetime(2026, 11, 25, tzinfo=UTC)
SPAN = Period(START, START + timedelta(days=1))
REPORT = report(Question(compare=True), SPAN, Counted([(START, {"read": 2, "received@5": 2, "read@9": 2})]), START)


def test_a_report_is_written_with_its_times_in_utc():
    written = StatisticsSchema().dump(REPORT)
    assert (written["from"], written["to"]) == ("2026-11-25T00:00:00.000Z", "2026-11-26T00:00:00.000Z")
    assert (written["interval"], written["as_of"]) == ("day", "2026-11-25T00:00:00.000Z")
    assert written["totals"]["read_rate"] == 1.0
    assert written["totals"]["median_seconds_to_read"] == 0.009
    assert written["series"][0]["period"] == "2026-11-25"
    assert written["previous"]["from"] == "2026-11-24T00:00:00.000Z"
    assert written["previous"]["totals"]["read_rate"] is None


def test_of_a_notification_the_same_is_written_beside_its_course():
    curve = [{"seconds": 0.006, "received": 2, "read": 0}]
    written = NotificationStatisticsSchema().dump(Course(REPORT, {"recipients": 2}, curve))
    assert written.items() >= StatisticsSchema().dump(REPORT).items()
    assert (written["funnel"], written["curve"]) == ({"recipients": 2}, curve)


def test_a_top_list_has_its_rows_under_their_name():
    written = TopGroupsSchema().dump(TopList(SPAN, START, [{"group": "choir", **counted({"sent": 1})}]))
    assert written["groups"][0]["group"] == "choir"
    assert written["groups"][0]["sent"] == written["groups"][0]["recipients"] == 1
