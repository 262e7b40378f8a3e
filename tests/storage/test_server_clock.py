from datetime import UTC, datetime, timedelta

import pytest

from notify_server.config import Config
from notify_server.storage import server_clock
from notify_server.storage.database import connect, ping
from notify_server.storage.server_clock import ServerClock, since_boot

NOON = datetime(2026, 11, 20, 12, 0)  # noqa: DTZ001 - as the driver's monitors decode it
MINUTE = timedelta(minutes=1)


class Ticks:
    """Time since boot that the test lets pass."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


@pytest.fixture
def clock(ticks: Ticks) -> ServerClock:
    clock = ServerClock(ticks)
    clock.hear(NOON)
    return clock


def aware(naive: datetime) -> datetime:
    return naive.replace(tzinfo=UTC)


def test_nobody_knows_the_time_before_a_server_has_told_it():
    clock = ServerClock()
    assert not clock.known
    with pytest.raises(RuntimeError):
        clock.now()


def test_the_time_goes_on_from_what_the_server_said(clock, ticks):
    assert clock.now() == aware(NOON)
    ticks.seconds += 60.0004
    assert clock.now() == aware(NOON + MINUTE)
    assert clock.now().tzinfo is UTC


def test_what_an_answer_takes_on_its_way_does_not_move_the_clock(clock, ticks):
    for delay in (0.01, 0.04, 0.0):
        ticks.seconds += 10 + delay
        clock.hear(NOON + timedelta(seconds=ticks.seconds - 1000 - delay))
        assert clock.now() == aware(NOON) + timedelta(milliseconds=round((ticks.seconds - 1000) * 1000))


def test_the_answer_that_came_quickest_is_nearest_to_the_time(ticks):
    clock = ServerClock(ticks)
    clock.hear(NOON - timedelta(milliseconds=40))  # on its way for so long
    for delay in (0.03, 0.002, 0.01):
        ticks.seconds += 10
        clock.hear(NOON + timedelta(seconds=ticks.seconds - 1000 - delay))
    assert clock.now() == aware(NOON) + timedelta(seconds=ticks.seconds - 1000 - 0.002)


def test_a_server_whose_clock_is_set_forward_is_followed_at_once(clock):
    clock.hear(NOON + MINUTE)
    assert clock.now() == aware(NOON + MINUTE)


def test_a_server_whose_clock_is_set_back_is_followed_when_it_says_so_twice(clock, ticks):
    clock.hear(NOON - MINUTE)
    assert clock.now() == aware(NOON)
    ticks.seconds += 10
    clock.hear(NOON - MINUTE + timedelta(seconds=10))
    assert clock.now() == aware(NOON - MINUTE + timedelta(seconds=10))


def test_answers_that_waited_while_the_process_stood_still_do_not_set_it_back(clock, ticks):
    ticks.seconds += 3600
    for second in range(10, 3600, 10):
        clock.hear(NOON + timedelta(seconds=second))
        assert clock.now() == aware(NOON + timedelta(hours=1))


def test_a_client_hears_the_time_of_its_database(mongodb_uri):
    database = connect(Config(mongodb_uri=mongodb_uri))
    ping(database)
    clock = server_clock.of(database)
    assert clock.known
    told = database.client.admin.command("hello")["localTime"].replace(tzinfo=UTC)
    assert abs(clock.now() - told) < timedelta(seconds=5)
    database.client.close()


def test_the_time_since_boot_goes_on():
    first = since_boot()
    assert 0 < first <= since_boot()
