import pytest

from notify_server.storage.documents import Store
from notify_server.storage.leases import Leases
from tests.builders import NOON, after, at_once


@pytest.fixture
def leases(database: Store) -> Leases:
    return Leases(database)


def test_a_lease_is_kept_by_its_owner_and_refused_to_others(leases: Leases) -> None:
    assert leases.hold("scheduler", "one", NOON, after(30))
    assert leases.hold("scheduler", "one", after(10), after(40))
    assert not leases.hold("scheduler", "two", after(39), after(69))


def test_a_lease_that_has_run_out_is_anyones(leases: Leases) -> None:
    leases.hold("scheduler", "one", NOON, after(30))
    assert leases.hold("scheduler", "two", after(30), after(60))
    assert not leases.hold("scheduler", "one", after(31), after(61))


def test_a_lease_is_extended_while_nobody_else_has_had_it(leases: Leases) -> None:
    leases.hold("scheduler", "one", NOON, after(30))
    assert leases.extend("scheduler", "one", after(60))
    assert not leases.hold("scheduler", "two", after(59), after(89))
    assert not leases.extend("scheduler", "two", after(99))
    assert leases.hold("scheduler", "two", after(60), after(90))
    assert not leases.extend("scheduler", "one", after(120))
    leases.release("scheduler", "two")
    assert not leases.extend("scheduler", "one", after(120))
    assert leases.owner("scheduler") is None


def test_leases_of_different_names_do_not_meet(leases: Leases) -> None:
    assert leases.hold("scheduler", "one", NOON, after(30))
    assert leases.hold("migrations", "two", NOON, after(30))


def test_a_released_lease_is_anyones_at_once(leases: Leases) -> None:
    leases.hold("scheduler", "one", NOON, after(30))
    leases.release("scheduler", "one")
    assert leases.hold("scheduler", "two", NOON, after(30))


def test_nobody_releases_the_lease_of_another(leases: Leases) -> None:
    leases.hold("scheduler", "one", NOON, after(30))
    leases.release("scheduler", "two")
    assert not leases.hold("scheduler", "two", NOON, after(30))


def test_of_many_that_want_a_free_lease_at_once_one_gets_it(leases: Leases) -> None:
    for name in range(20):
        held = at_once(*(lambda name=name, n=n: leases.hold(f"l{name}", f"w{n}", NOON, after(30)) for n in range(4)))
        assert sorted(held) == [False, False, False, True]


def test_of_many_that_want_a_lease_that_has_run_out_one_gets_it(leases: Leases) -> None:
    for round_ in range(20):
        start = 100 * round_
        held = at_once(
            *(lambda n=n, start=start: leases.hold("l", f"w{n}", after(start), after(start + 1)) for n in range(4))
        )
        assert sum(held) == 1
        leases.hold("l", "dead", after(start + 50), after(start + 60))
