from datetime import timedelta

import pytest

from notify_server.services.token_memory import FRESH, KEPT, NOTED, TokenMemory
from tests.builders import NOON, after

FRESH_SECONDS, NOTED_SECONDS = FRESH.total_seconds(), NOTED.total_seconds()


@pytest.fixture
def memory() -> TokenMemory[str]:
    made = TokenMemory[str]()
    made.remember("digest", "holder", None, NOON)
    return made


def test_a_revocation_acts_everywhere_within_five_seconds() -> None:
    assert timedelta(0) < FRESH <= timedelta(seconds=5)


def test_what_the_database_said_holds_until_it_is_no_longer_fresh(memory: TokenMemory[str]) -> None:
    assert memory.recall("digest", after(FRESH_SECONDS - 0.001)) == "holder"
    assert memory.recall("digest", after(FRESH_SECONDS)) is None
    assert memory.recall("other", NOON) is None


def test_a_clock_that_is_set_back_makes_nothing_last(memory: TokenMemory[str]) -> None:
    assert memory.recall("digest", after(-1)) is None


def test_a_token_that_ends_is_not_recalled_however_fresh(memory: TokenMemory[str]) -> None:
    memory.remember("ending", "holder", after(1), NOON)
    assert memory.recall("ending", after(0.999)) == "holder"
    assert memory.recall("ending", after(1)) is None


def test_everything_can_be_forgotten(memory: TokenMemory[str]) -> None:
    memory.forget()
    assert memory.recall("digest", NOON) is None


def test_no_more_than_so_many_are_remembered_and_the_oldest_goes_first(memory: TokenMemory[str]) -> None:
    for number in range(KEPT - 1):
        memory.remember(str(number), "h", None, NOON)
    assert memory.recall("digest", NOON) == "holder"
    memory.remember("0", "h", None, NOON)  # asked again: it is the newest now
    memory.remember("one more", "h", None, NOON)
    assert memory.recall("digest", NOON) is None
    memory.remember("and one more", "h", None, NOON)
    assert (memory.recall("1", NOON), memory.recall("0", NOON)) == (None, "h")


def test_a_use_is_to_be_noted_once_a_minute_for_each_client() -> None:
    memory = TokenMemory[str]()
    asked = [0.0, 1.0, NOTED_SECONDS - 0.001, NOTED_SECONDS, NOTED_SECONDS + 1]
    assert [memory.is_to_note("a", after(seconds)) for seconds in asked] == [True, False, False, True, False]
    assert memory.is_to_note("b", NOON)
