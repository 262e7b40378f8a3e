from datetime import UTC, datetime

import pytest
from marshmallow import ValidationError

from notify_server.api.schemas.statistics_query import (
    StatisticsQuerySchema,
    TopGroupsQuerySchema,
    TopQuerySchema,
    choice,
    question,
)
from notify_server.domain.intervals import Interval
from notify_server.services.rankings import Choice
from notify_server.services.statistics import Question


def test_a_query_makes_a_question():
    query = {
        "from": "2026-11-01T00:00:00+01:00",
        "to": "2026-12-01T00:00:00Z",
        "interval": "week",
        "timezone": "Europe/Vienna",
        "category": "booking",
        "compare": "previous",
    }
    start, end = datetime(2026, 10, 31, 23, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
    asked = question(StatisticsQuerySchema().load(query))
    assert asked == Question(start, end, Interval.WEEK, "Europe/Vienna", "booking", compare=True)
    assert question(StatisticsQuerySchema().load({})) == Question()


def test_top_lists_ask_for_rows():
    assert choice(TopQuerySchema().load({})) == Choice(20)
    assert choice(TopGroupsQuerySchema().load({"limit": "3", "order": "asc", "least": "9"})) == Choice(3, True, 9)
    assert question(TopQuerySchema().load({"category": "news"})) == Question(category="news")


@pytest.mark.parametrize(
    "query", [{"interval": "year"}, {"timezone": "Vienna"}, {"from": "2026-11-01"}, {"compare": ""}, {"group": "g"}]
)
def test_what_is_no_query_is_refused(query):
    with pytest.raises(ValidationError) as refused:
        StatisticsQuerySchema().load(query)
    assert list(refused.value.normalized_messages()) == list(query)
