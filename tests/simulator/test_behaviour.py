from typing import Any

import pytest

from notify_server.errors import InvalidInput
from notify_server.simulator.behaviour import parse
from notify_server.simulator.outcomes import Drop, Fault


def test_without_keys_nothing_goes_wrong() -> None:
    behaviour = parse({})
    assert behaviour.default.quiet
    assert behaviour.rule("any") is behaviour.default
    assert behaviour.quota_per_minute is None
    assert behaviour.log


def test_rates_become_thresholds_that_add_up() -> None:
    rule = parse({"unavailable": 0.2, "quota": 0.3, "retry_after": {"quota": 5}}).default
    assert rule.thresholds == ((0.2, Fault.UNAVAILABLE), (0.5, Fault.QUOTA))
    assert rule.retry_after == {"unavailable": None, "internal": None, "quota": 5}
    assert not rule.quiet


def test_the_longest_prefix_rules_alone() -> None:
    behaviour = parse({"internal": 1, "prefixes": {"a": {"quota": 1}, "ab": {"drop": "stream", "drop_after": 1}}})
    assert behaviour.rule("abc").thresholds == ((1.0, Fault.DROP_AFTER),)
    assert behaviour.rule("abc").drop is Drop.STREAM
    assert behaviour.rule("ac").thresholds == ((1.0, Fault.QUOTA),)
    assert behaviour.rule("c").thresholds == ((1.0, Fault.INTERNAL),)


def test_latency_alone_is_not_quiet() -> None:
    assert not parse({"latency": {"max": 0.1}}).default.quiet


def test_the_document_parses_to_the_same_behaviour() -> None:
    behaviour = parse({"unavailable": 0.5, "prefixes": {"x": {"internal": 1}}, "seed": 4, "log": False})
    assert parse(dict(behaviour.document)) == behaviour


@pytest.mark.parametrize(
    ("content", "path"),
    [
        ({"nonsense": 1}, "nonsense"),
        ({"unavailable": 1.5}, "unavailable"),
        ({"unavailable": -0.1}, "unavailable"),
        ({"unavailable": "0.5"}, "unavailable"),
        ({"unavailable": True}, "unavailable"),
        ({"unavailable": None}, "unavailable"),
        ({"retry_after": {"unregistered": 1}}, "retry_after.unregistered"),
        ({"retry_after": {"quota": 1.5}}, "retry_after.quota"),
        ({"retry_after": 5}, "retry_after._schema"),
        ({"latency": {"min": 2, "max": 1}}, "latency.max"),
        ({"latency": {"mean": 2}}, "latency.mean"),
        ({"stall_seconds": -1}, "stall_seconds"),
        ({"drop": "packet"}, "drop"),
        ({"log": 1}, "log"),
        ({"seed": "x"}, "seed"),
        ({"quota_per_minute": -1}, "quota_per_minute"),
        ({"token_lifetime": 0}, "token_lifetime"),
        ({"prefixes": {"x": {"nonsense": 1}}}, "prefixes.x.value.nonsense"),
        ({"prefixes": {"": {}}}, "prefixes..key"),
        ({"prefixes": {"x": {"seed": 1}}}, "prefixes.x.value.seed"),
        ([], "_schema"),
        ("text", "_schema"),
    ],
)
def test_a_wrong_key_is_named(content: Any, path: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse(content)
    assert list(refused.value.errors) == [path]


def test_rates_of_more_than_one_together_are_refused() -> None:
    with pytest.raises(InvalidInput, match="more than 1"):
        parse({"unavailable": 0.6, "internal": 0.6})
    assert len(parse({"unavailable": 0.7, "internal": 0.2, "quota": 0.1}).default.thresholds) == 3
