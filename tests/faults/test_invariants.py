"""The checker of the invariants sees each of them broken: a check that cannot fail proves nothing."""

import copy
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from bson import ObjectId

from notify_server.domain.notification import ResendPolicy
from notify_server.storage import migrations
from tests.faults.scene import Scene, names, populate, scene_at, target
from tests.fcm_simulator import SimulatorProcess
from tests.invariants import Evidence, violations

ALICE, BOB, *_ = PEOPLE = names(20)
TAMPERED = ("notifications", "registry", "batches", "devices")


@pytest.fixture(scope="module")
def place(mongodb_uri: str, simulator: SimulatorProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A place of its own, where a worker delivers."""
    scene = scene_at(mongodb_uri, "invariants", simulator, tmp_path_factory.mktemp("invariants"))
    simulator.behave()
    simulator.clear()
    migrations.run(scene.database)
    populate(scene.database, PEOPLE, {"all": len(PEOPLE)})
    scene.service.start("worker")
    yield scene
    scene.database.client.drop_database(scene.database)
    scene.close()


@pytest.fixture(scope="module")
def deliver(place: Scene) -> Callable[..., Evidence]:
    """Delivers a notification to `users`."""

    def deliver(*users: str) -> Evidence:
        notification = place.accept(users=users, resend=ResendPolicy(times=0))
        place.await_done(notification)
        evidence = place.evidence(notification)
        assert violations(evidence) == []
        return evidence

    return deliver


@pytest.fixture(scope="module")
def sound(deliver: Callable[..., Evidence]) -> Evidence:
    """What is left of a notification to Alice and Bob that met no fault."""
    return deliver(ALICE, BOB)


@pytest.fixture
def evidence(sound: Evidence) -> Iterator[Evidence]:
    """The same, to be tampered with: afterwards everything is as it was."""
    database = sound.database
    before = {name: list(database[name].find()) for name in TAMPERED}
    yield Evidence(database, sound.notification_id, sound.log)
    for name, documents in before.items():
        database[name].delete_many({})
        if documents:
            database[name].insert_many(documents)


@pytest.fixture
def entry_of(evidence: Evidence) -> Callable[[str], Mapping[str, Any]]:
    return lambda user: {"_id": {"n": ObjectId(evidence.notification_id), "u": user}}


def batch(evidence: Evidence, part: str, *users: str) -> Mapping[str, Any]:
    key = {"n": ObjectId(evidence.notification_id), "c": "push", "k": "", "p": part}
    return {"_id": key, "stage": "confirm", "users": list(users)}


def test_a_lost_or_invented_entry_is_seen(evidence, entry_of):
    alice = evidence.database.registry.find_one_and_delete(entry_of(ALICE))
    evidence.database.registry.insert_one(alice | entry_of("user-00002"))
    found = violations(Evidence(evidence.database, evidence.notification_id, evidence.log))
    assert f"2: {ALICE} has no entry" in found
    assert "2: user-00002 was not addressed" in found
    assert "b: user-00002 is sent, and FCM accepted nothing" in found
    assert f"b: FCM accepted a message for {target(ALICE)}, whose user has no entry" in found


def test_a_wrong_number_of_recipients_is_seen(evidence):
    evidence.database.notifications.update_one({"_id": ObjectId(evidence.notification_id)}, {"$inc": {"recipients": 1}})
    found = violations(Evidence(evidence.database, evidence.notification_id, evidence.log))
    assert found == ["2: the notification counts 3 recipients of 2"]


def test_a_recipient_in_two_batches_is_seen(evidence):
    evidence.database.batches.insert_many([batch(evidence, "a", ALICE), batch(evidence, "b", ALICE, BOB)])
    found = violations(Evidence(evidence.database, evidence.notification_id, evidence.log))
    assert found == [f"2: {ALICE} is in 2 batches of push"]


def test_a_batch_left_unsent_is_seen(evidence):
    evidence.database.batches.insert_one(batch(evidence, "a", ALICE) | {"stage": "dispatch"})
    [found] = violations(Evidence(evidence.database, evidence.notification_id, evidence.log))
    assert found.startswith("2: done, but the batch")


BROKEN = {
    "pending, and nobody will come": (
        {"$set": {"status": "pending", "history": [{"status": "pending", "detail": None}], "attempts": 0}},
        f"2: {ALICE} is pending (None) and in no batch",
    ),
    "told by a socket alone, and no push follows": (
        {"$set": {"unpushed": True}},
        f"2: {ALICE} is sent by a socket alone (None), and no batch pushes it",
    ),
    "a move that is not in the table": (
        {
            "$push": {"history": {"status": "suppressed", "detail": None}},
            "$set": {"status": "suppressed", "reason": "muted_category"},
        },
        f"3: {ALICE} is suppressed by way of pending, sent, suppressed",
    ),
    "a move that is not in the history": (
        {"$set": {"status": "read"}},
        f"3: {ALICE} is read by way of pending, sent",
    ),
    "a history that begins in the middle": (
        {"$pop": {"history": -1}},
        f"3: {ALICE} is sent by way of sent",
    ),
    "sent at no time": ({"$set": {"sent_at": None}}, f"3: {ALICE} was sent at no time"),
    "sent once, and expired": (
        {
            "$push": {"history": {"$each": [{"status": status, "detail": None} for status in ("pending", "expired")]}},
            "$set": {"status": "expired", "reason": "ttl_over"},
        },
        f"3: {ALICE} was sent it, and is expired",
    ),
    "an attempt too many": ({"$inc": {"attempts": 1}}, f"3: {ALICE} has 2 attempts, and 1 in the history"),
    "sent, and a reason why not": (
        {"$set": {"reason": "unavailable"}},
        f"5: {ALICE} is sent and has a reason: unavailable",
    ),
    "failed, and no reason why": (
        {"$set": {"status": "failed", "history.1": {"status": "failed", "detail": "attempt 1: "}}},
        f"5: {ALICE} is failed by reason of None",
    ),
    "a reason that is no reason": (
        {
            "$set": {
                "status": "failed",
                "history.1": {"status": "failed", "detail": "attempt 1: "},
                "reason": "bad luck",
            }
        },
        f"5: {ALICE} is failed by reason of bad luck",
    ),
    "muted, and yet sent": (
        {
            "$set": {
                "status": "suppressed",
                "reason": "muted_group",
                "history": [{"status": "suppressed", "detail": None}],
            }
        },
        f"b: FCM accepted a message for {target(ALICE)}, whose user has muted it",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_an_entry_that_cannot_be_is_seen(evidence, entry_of, case):
    update, expected = BROKEN[case]
    evidence.database.registry.update_one(entry_of(ALICE), update)
    assert expected in violations(Evidence(evidence.database, evidence.notification_id, evidence.log), figures=False)


def test_counts_that_differ_from_the_registry_are_seen(evidence):
    evidence.entries.pop()
    assert [found for found in violations(evidence) if found.startswith("6: ")]


def test_sends_that_would_show_twice_on_a_device_are_seen(evidence):
    other = copy.deepcopy(evidence.log)
    other[0]["message"]["apns"]["headers"]["apns-collapse-id"] = "another"
    [found] = violations(Evidence(evidence.database, evidence.notification_id, other))
    assert found.startswith("4: ")


def test_targets_at_odds_with_fcms_word_are_seen(evidence):
    dead = [*evidence.log, evidence.log[0] | {"target": target(ALICE), "outcome": "unregistered"}]
    phone = {"_id.u": BOB}
    evidence.database.devices.update_one(phone, {"$set": {"active": False, "reason": "unregistered"}})
    found = violations(Evidence(evidence.database, evidence.notification_id, dead))
    evidence.database.devices.update_one(phone, {"$set": {"active": True, "reason": None}})
    assert found == [
        f"targets: {{'u': '{ALICE}', 'd': 'phone'}} is active, and its target is dead",
        f"targets: {{'u': '{BOB}', 'd': 'phone'}} is inactive (unregistered), and FCM never called its target dead",
    ]


def test_many_violations_of_one_kind_are_cut_short(deliver):
    evidence = deliver(*PEOPLE)
    found = violations(Evidence(evidence.database, evidence.notification_id, []))
    assert len(found) == 6
    assert found[-1] == "… and 15 more like the last"
