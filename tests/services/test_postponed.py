import pytest

from notify_server.services.postponed import Postponed


@pytest.fixture
def postponed() -> Postponed:
    return Postponed()


def test_what_is_put_off_comes_back(postponed: Postponed) -> None:
    postponed.look(100)
    postponed.put_off("a", 110)
    assert "a" in postponed
    assert "b" not in postponed
    postponed.look(109)
    assert "a" in postponed
    postponed.look(110)
    assert "a" not in postponed
    assert postponed.suspects("ab") == set()


def test_what_fails_waits_for_longer_each_time_but_not_for_ever(postponed: Postponed) -> None:
    now, waits = 0.0, []
    for _ in range(12):
        postponed.look(now)
        assert "a" not in postponed
        postponed.fail(["a"], now)
        begun = now
        while "a" in postponed:
            now += 5
            postponed.look(now)
        waits.append(now - begun)
    assert waits == [10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600, 3600]


def test_what_failed_is_a_suspect_until_it_succeeds(postponed: Postponed) -> None:
    postponed.fail(["a", "b"], 0)
    postponed.look(10)
    assert postponed.suspects(["a", "b", "c"]) == {"a", "b"}
    postponed.succeed(["a", "c"])
    assert postponed.suspects(["a", "b", "c"]) == {"b"}
    postponed.fail(["a"], 10)
    postponed.look(20)
    assert "a" not in postponed


def test_what_is_not_tried_again_is_forgotten(postponed: Postponed) -> None:
    postponed.fail(["a"], 0)
    postponed.put_off("b", 5)
    assert len(postponed) == 2
    postponed.look(10)
    assert len(postponed) == 1
    postponed.look(3610)
    assert (len(postponed), postponed.suspects("a")) == (0, set())
