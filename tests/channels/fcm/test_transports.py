"""The contract of a push transport, for both: every answer in FCM's table, and every way to get none."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from notify_server.domain.device import Target, TargetType
from notify_server.domain.outcome import ACCEPTED, Kind, Outcome
from notify_server.domain.registry import Reason
from notify_server.simulator.faults import Draws
from tests.channels.fcm.conftest import NOW, Opener, a_notification, opener, send, tokens
from tests.fcm_simulator import SimulatorProcess

CONNECTION_LOST = Outcome(Kind.RETRY, Reason.CONNECTION_LOST)
CREDENTIAL_REFUSED = Outcome(Kind.RETRY, Reason.CREDENTIAL_REFUSED)
LATER = {"retry_after": {"unavailable": 1, "internal": 1, "quota": 1}}

# Each row: how the simulator answers, and what the transport makes of it.
ROWS: dict[str, tuple[dict[str, Any], Outcome]] = {
    "accepted": ({}, ACCEPTED),
    "invalid_argument": ({"invalid_argument": 1}, Outcome(Kind.TARGET_DEAD, Reason.INVALID_TARGET)),
    "unauthenticated": ({"unauthenticated": 1}, CREDENTIAL_REFUSED),
    "third_party": ({"third_party_auth": 1}, Outcome(Kind.RETRY, Reason.PROVIDER_CREDENTIAL)),
    "sender_mismatch": ({"sender_id_mismatch": 1}, Outcome(Kind.TARGET_DEAD, Reason.SENDER_MISMATCH)),
    "unregistered": ({"unregistered": 1}, Outcome(Kind.TARGET_DEAD, Reason.UNREGISTERED)),
    "quota": ({"quota": 1}, Outcome(Kind.RETRY, Reason.QUOTA_EXCEEDED)),
    "quota_later": ({"quota": 1, **LATER}, Outcome(Kind.RETRY, Reason.QUOTA_EXCEEDED, 1.0)),
    "internal": ({"internal": 1}, Outcome(Kind.RETRY, Reason.UNAVAILABLE)),
    "internal_later": ({"internal": 1, **LATER}, Outcome(Kind.RETRY, Reason.UNAVAILABLE, 1.0)),
    "unavailable": ({"unavailable": 1}, Outcome(Kind.RETRY, Reason.UNAVAILABLE)),
    "unavailable_later": ({"unavailable": 1, **LATER}, Outcome(Kind.RETRY, Reason.UNAVAILABLE, 1.0)),
    "stall_before": ({"stall_before": 1, "stall_seconds": 60}, CONNECTION_LOST),
    "stall_after": ({"stall_after": 1, "stall_seconds": 60}, CONNECTION_LOST),
}


@pytest.fixture(scope="module", params=["curl", "sdk"])
def table(request: pytest.FixtureRequest, simulator: SimulatorProcess) -> Iterator[dict[str, Outcome]]:
    """What the transport makes of every row; all are sent at once, as the SDK takes seconds over some."""
    simulator.clear()
    simulator.behave(prefixes={f"{name}:": rule for name, (rule, _) in ROWS.items()})
    with opener(request.param, simulator) as open_:
        transport = open_(fcm_timeout=2.0)
        encoded = transport.encode(a_notification(), NOW)
        yield dict(zip(ROWS, send(transport, encoded, tokens(*(f"{name}:" for name in ROWS))), strict=True))


@pytest.mark.parametrize("row", ROWS)
def test_an_answer_becomes_its_outcome(table: dict[str, Outcome], row: str) -> None:
    assert table[row] == ROWS[row][1]


def test_what_is_sent_is_what_fcm_gets(open_one: Opener, fcm: SimulatorProcess) -> None:
    transport = open_one()
    targets = [Target(TargetType.FID, "fid-1"), Target(TargetType.TOKEN, 'to"ken')]
    assert send(transport, transport.encode(a_notification(), NOW), targets) == [ACCEPTED, ACCEPTED]
    seen = {(row["type"], row["target"]): row["message"] for row in fcm.messages()}
    assert set(seen) == {("fid", "fid-1"), ("token", 'to"ken')}
    assert all(message["data"] == {"notification_id": "n1"} for message in seen.values())
    assert all(message["notification"]["title"] == "Booking confirmed" for message in seen.values())


def test_500_outcomes_stand_in_the_order_of_their_targets(open_one: Opener, fcm: SimulatorProcess) -> None:
    fcm.behave(latency={"min": 0.0, "max": 0.05}, prefixes={"dead": {"unregistered": 1}})
    transport = open_one()
    values = [f"{'dead' if n % 3 == 0 else 'live'}-{n}" for n in range(500)]
    outcomes = send(transport, transport.encode(a_notification(), NOW), tokens(*values))
    assert [outcome.kind for outcome in outcomes] == [
        Kind.TARGET_DEAD if value.startswith("dead") else Kind.ACCEPTED for value in values
    ]
    assert fcm.counts()["accepted"] == sum(value.startswith("live") for value in values)


def test_more_targets_than_any_limit_are_all_sent(open_one: Opener, fcm: SimulatorProcess) -> None:
    transport = open_one()
    outcomes = send(transport, transport.encode(a_notification(), NOW), tokens(*(f"t{n}" for n in range(1100))))
    assert outcomes == [ACCEPTED] * 1100
    assert fcm.counts()["targets"] == 1100


def test_no_targets_have_no_outcomes(open_one: Opener, fcm: SimulatorProcess) -> None:
    transport = open_one()
    assert send(transport, transport.encode(a_notification(), NOW), []) == []
    assert fcm.counts()["requests"] == 0


def test_several_messages_are_sent_together_and_their_outcomes_kept_apart(
    open_one: Opener, fcm: SimulatorProcess
) -> None:
    fcm.behave(prefixes={"dead": {"unregistered": 1}})
    transport = open_one()
    first, second, third = (transport.encode(a_notification(id=f"n{n}"), NOW) for n in range(3))
    dead = Outcome(Kind.TARGET_DEAD, Reason.UNREGISTERED)
    sends = [(first, tokens("a", "dead-1")), (second, []), (third, tokens("dead-2", "a", "b"))]
    assert transport.begin(sends).all() == [[ACCEPTED, dead], [], [dead, ACCEPTED, ACCEPTED]]
    got = {(row["target"], row["message"]["data"]["notification_id"]) for row in fcm.messages()}
    assert got == {("a", "n0"), ("dead-1", "n0"), ("dead-2", "n2"), ("a", "n2"), ("b", "n2")}
    assert transport.begin([]).all() == []


def test_many_threads_send_at_once(open_one: Opener, fcm: SimulatorProcess) -> None:
    fcm.behave(prefixes={"dead": {"unregistered": 1}})
    transport = open_one()
    results: dict[int, list[Outcome]] = {}

    def send_some(thread: int) -> None:
        encoded = transport.encode(a_notification(id=f"n{thread}"), NOW)
        results[thread] = send(transport, encoded, tokens(*(f"live-{thread}-{n}" for n in range(60)), f"dead-{thread}"))

    threads = [threading.Thread(target=send_some, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    dead = Outcome(Kind.TARGET_DEAD, Reason.UNREGISTERED)
    assert results == {n: [ACCEPTED] * 60 + [dead] for n in range(8)}
    third = [row["target"] for row in fcm.messages() if row["message"]["data"]["notification_id"] == "n3"]
    assert sorted(third) == sorted([*(f"live-3-{n}" for n in range(60)), "dead-3"])


@pytest.mark.parametrize("fault", ["drop_before", "drop_after"])
def test_a_broken_connection_is_never_taken_for_an_accepted_message(
    open_one: Opener, fcm: SimulatorProcess, fault: str
) -> None:
    """The SDK repeats the message by itself, after seconds where it breaks again: these break once."""
    targets = tokens(*broken_once(5))
    fcm.behave(**{fault: 0.5})
    transport = open_one()
    encoded = transport.encode(a_notification(), NOW)
    outcomes = send(transport, encoded, targets)
    assert set(outcomes) <= {ACCEPTED, CONNECTION_LOST}
    got = {row["target"] for row in fcm.messages(outcome="accepted")}
    assert got.issuperset(
        target.value for target, outcome in zip(targets, outcomes, strict=True) if outcome is ACCEPTED
    )
    fcm.behave()
    assert send(transport, encoded, targets) == [ACCEPTED] * 5


def broken_once(count: int) -> list[str]:
    """Targets whose first request the simulator breaks at a rate of 0.5, and whose second it does not."""
    draws, found, number = Draws(), list[str](), 0
    while len(found) < count:
        target, number = f"t{number}", number + 1
        first, second = draws.fractions(0, target)[0], draws.fractions(0, target)[0]
        found += [target] if first < 0.5 <= second else []
    return found


def test_a_revoked_token_is_renewed_unseen(open_one: Opener, fcm: SimulatorProcess) -> None:
    transport = open_one()
    encoded = transport.encode(a_notification(), NOW)
    assert send(transport, encoded, tokens("a")) == [ACCEPTED]
    fcm.revoke_tokens()
    assert send(transport, encoded, tokens("b", "c")) == [ACCEPTED] * 2


def test_a_refused_credential_keeps_everybody_waiting(open_one: Opener, fcm: SimulatorProcess) -> None:
    fcm.behave(unauthenticated=1)
    transport = open_one()
    assert send(transport, transport.encode(a_notification(), NOW), tokens("a", "b")) == [CREDENTIAL_REFUSED] * 2


def test_another_project_keeps_everybody_waiting(open_one: Opener) -> None:
    transport = open_one(fcm_project="somebody-elses")
    assert send(transport, transport.encode(a_notification(), NOW), tokens("a")) == [CREDENTIAL_REFUSED]


def test_a_token_endpoint_that_is_down_keeps_everybody_waiting(open_one: Opener, fcm: SimulatorProcess) -> None:
    fcm.behave(token_unavailable=1)
    transport = open_one()
    assert send(transport, transport.encode(a_notification(), NOW), tokens("a", "b")) == [CREDENTIAL_REFUSED] * 2


def test_no_credential_keeps_everybody_waiting(open_one: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere/service-account.json")
    transport = open_one()
    assert send(transport, transport.encode(a_notification(), NOW), tokens("a")) == [CREDENTIAL_REFUSED]


def test_a_close_lets_a_running_send_end(open_one: Opener, fcm: SimulatorProcess) -> None:
    fcm.behave(latency={"min": 0.4, "max": 0.6})
    transport = open_one()
    encoded = transport.encode(a_notification(), NOW)
    outcomes: list[Outcome] = []
    sender = threading.Thread(target=lambda: outcomes.extend(send(transport, encoded, tokens("a", "b", "c"))))
    sender.start()
    while not fcm.counts()["requests"] and sender.is_alive():
        sender.join(0.01)
    transport.close()
    sender.join()
    assert outcomes == [ACCEPTED] * 3
    assert send(transport, encoded, tokens("d")) == [CONNECTION_LOST]


def test_only_what_the_transport_encoded_can_be_sent(open_one: Opener) -> None:
    with pytest.raises(TypeError):
        send(open_one(), object(), tokens("a"))
