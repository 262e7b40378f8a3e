"""The period that a page shows figures of."""

from datetime import timedelta

from notify_server.api.context import services
from notify_server.console.queries import Asked
from notify_server.domain.intervals import Interval
from notify_server.domain.periods import midnight
from notify_server.services.statistics import Question

_MOST_DAYS = 90  # that are shown day by day; of more, weeks are

_DEFAULT = Question()


def question(asked: Asked) -> Question:
    """What a page with PeriodSchema asks for, with the period before; by default, and where it is wrong, 30 days."""
    timezone, days = asked.values.get("timezone", _DEFAULT.timezone), asked.values.get("days", 30)
    zone = Question(timezone=timezone).zone
    today = (services().figures.period(_DEFAULT).end - timedelta(microseconds=1)).astimezone(zone).date()
    return Question(
        start=midnight(today - timedelta(days=days - 1), zone),
        interval=Interval.DAY if days <= _MOST_DAYS else Interval.WEEK,
        timezone=timezone,
        category=asked.values.get("category"),
        compare=True,
    )
