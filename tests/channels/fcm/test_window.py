import pytest

from notify_server.channels.fcm.window import Window


class Ticks:
    """Time that the test lets pass."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


def answer(window: Window, ticks: Ticks, seconds: float, *, waiting: bool = True) -> None:
    """As many come as were under way, so many seconds later."""
    half = window.size // 2
    window.settled(window.size - half, waiting=waiting)
    ticks.now += seconds
    window.settled(half, waiting=waiting)


@pytest.mark.parametrize(("connections", "size"), [(1, 100), (4, 400), (16, 400)])
def test_there_are_four_connections_at_first_or_all_that_are_allowed(connections: int, size: int) -> None:
    assert Window(connections).size == size


def test_where_answers_come_from_afar_it_grows_up_to_what_is_allowed(ticks: Ticks) -> None:
    window, sizes = Window(6, ticks), []
    for _ in range(4):
        answer(window, ticks, 0.1)
        sizes.append(window.size)
    assert sizes == [500, 600, 600, 600]


def test_where_answers_are_quick_it_stays_as_it_is(ticks: Ticks) -> None:
    window = Window(16, ticks)
    for _ in range(4):
        answer(window, ticks, 0.03)
    assert window.size == 400


def test_where_nothing_waits_it_is_large_enough(ticks: Ticks) -> None:
    window = Window(16, ticks)
    for _ in range(4):
        answer(window, ticks, 9.0, waiting=False)
    assert window.size == 400
    window.settled(399, waiting=True)  # a time in which nothing waited does not count
    ticks.now += 0.03
    window.settled(1, waiting=True)
    assert window.size == 400


def test_when_nothing_is_under_way_it_begins_anew(ticks: Ticks) -> None:
    window = Window(16, ticks)
    answer(window, ticks, 0.1)
    assert window.size == 500
    window.rest()
    assert window.size == 400
