import threading
from collections.abc import Callable, Iterator

import pytest
from structlog.testing import capture_logs

from notify_server.errors import DatabaseUnavailable
from notify_server.processes.loop import Loop
from tests.service import until


class Steps:
    """Counts its calls; raises `errors`, one a call, until there is none left."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.count = 0

    def __call__(self) -> None:
        self.count += 1
        if self.errors:
            raise self.errors.pop(0)


@pytest.fixture
def run() -> Iterator[Callable[[Callable[[], None]], Loop]]:
    """Starts a loop that ends with the test."""
    loops: list[Loop] = []

    def run(step: Callable[[], None]) -> Loop:
        loops.append(Loop("test", step))
        loops[-1].start()
        return loops[-1]

    yield run
    for loop in loops:
        loop.stop()
        loop.join()


def test_a_step_is_repeated_until_the_loop_is_told_to_stop(run):
    steps = Steps()
    loop = run(steps)
    until(lambda: steps.count > 2)
    loop.stop()
    loop.join()
    ended_at = steps.count
    assert "test" not in [thread.name for thread in threading.enumerate()]
    assert steps.count == ended_at


def test_the_running_step_ends_before_the_loop_does(run):
    begun, go_on, ended = threading.Event(), threading.Event(), threading.Event()

    def step() -> None:
        begun.set()
        go_on.wait()
        ended.set()

    loop = run(step)
    begun.wait()
    loop.stop()
    assert not ended.is_set()
    go_on.set()
    loop.join()
    assert ended.is_set()


def test_a_loop_that_is_told_to_stop_first_takes_no_step(run):
    steps = Steps()
    loop = Loop("test", steps)
    loop.stop()
    loop.start()
    loop.join()
    assert steps.count == 0


def test_a_database_that_is_away_is_told_in_one_line_and_tried_again(run):
    steps = Steps(DatabaseUnavailable("nobody answers"))
    with capture_logs() as logs:
        run(steps)
        until(lambda: steps.count > 1)
    assert logs == [
        {"event": "database unavailable", "loop": "test", "problem": "nobody answers", "log_level": "warning"}
    ]


def test_an_unforeseen_error_is_told_with_its_traceback_and_the_loop_goes_on(run):
    steps = Steps(ZeroDivisionError("a bug"))
    with capture_logs() as logs:
        run(steps)
        until(lambda: steps.count > 1)
    assert logs == [{"event": "step failed", "loop": "test", "exc_info": True, "log_level": "error"}]


def test_a_loop_that_rests_after_an_error_stops_without_another_try(run):
    steps = Steps(*(DatabaseUnavailable("nobody answers") for _ in range(1000)))
    loop = run(steps)
    until(lambda: steps.count > 0)
    loop.stop()
    loop.join()
    assert steps.errors
