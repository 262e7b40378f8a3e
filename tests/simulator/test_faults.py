from notify_server.simulator.behaviour import parse
from notify_server.simulator.faults import Draws
from notify_server.simulator.outcomes import Fault

RULE = parse({"unavailable": 0.2, "drop_after": 0.1, "latency": {"min": 0.5, "max": 1}}).default


def test_the_same_seed_draws_the_same_for_each_target_in_any_order() -> None:
    first, second = Draws(), Draws()
    targets = [f"t{number}" for number in range(50)]
    forwards = {target: first.message(RULE, 7, target) for target in targets}
    backwards = {target: second.message(RULE, 7, target) for target in reversed(targets)}
    assert forwards == backwards
    assert {target: Draws().message(RULE, 8, target) for target in targets} != forwards


def test_a_target_draws_anew_each_time() -> None:
    draws = Draws()
    assert len({draws.message(RULE, 0, "t")[0] for _ in range(200)}) == 3


def test_faults_come_at_their_rates() -> None:
    draws = Draws()
    drawn = [draws.message(RULE, 0, f"t{number}")[0] for number in range(10_000)]
    assert 1800 < drawn.count(Fault.UNAVAILABLE) < 2200
    assert 850 < drawn.count(Fault.DROP_AFTER) < 1150
    assert set(drawn) == {None, Fault.UNAVAILABLE, Fault.DROP_AFTER}


def test_a_rate_of_one_always_strikes() -> None:
    draws, rule = Draws(), parse({"internal": 1}).default
    assert {draws.message(rule, 0, f"t{number}")[0] for number in range(1000)} == {Fault.INTERNAL}


def test_latency_lies_between_its_bounds() -> None:
    drawn = [Draws().message(RULE, 0, f"t{number}")[1] for number in range(1000)]
    assert 0.5 <= min(drawn) < 0.52
    assert 0.98 < max(drawn) < 1
