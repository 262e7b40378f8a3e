import asyncio

from notify_server.simulator.behaviour import parse
from notify_server.simulator.simulation import Simulation


def _simulation() -> Simulation:
    return Simulation("p")


def test_a_new_behaviour_decides_whether_rows_are_kept() -> None:
    async def run() -> list[bool]:
        simulation = _simulation()
        kept = [simulation.log.keeps_rows]
        simulation.behave(parse({"log": False}))
        kept.append(simulation.log.keeps_rows)
        simulation.clear()
        return [*kept, simulation.log.keeps_rows]

    assert asyncio.run(run()) == [True, False, False]


def test_serial_numbers_grow_over_clearing_and_restarts() -> None:
    async def run() -> list[int]:
        first = _simulation()
        numbers = [first.next_serial()]
        first.clear()
        return [*numbers, first.next_serial(), _simulation().next_serial()]

    numbers = asyncio.run(run())
    assert numbers == sorted(set(numbers))


def test_the_token_endpoint_can_be_away() -> None:
    async def run() -> list[int]:
        simulation = _simulation()
        before = simulation.grant(b"").status
        simulation.behave(parse({"token_unavailable": 1}))
        return [before, simulation.grant(b"").status]

    assert asyncio.run(run()) == [400, 503]
