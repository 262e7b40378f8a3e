"""FCM answers with every fault it has: each entry ends as fcm.md says, no sooner than it says.

One scenario for all the tests, since the shortest backoff takes ten seconds. The people of each fault have it in
their names.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby, pairwise
from typing import Any

import pytest
from bson import ObjectId

from notify_server.domain.device import Platform, Target, TargetType
from notify_server.services.enrolment import Installation
from notify_server.storage import migrations
from tests.faults.scene import Row, Scene, names, populate, scene_at, target
from tests.fcm_simulator import SimulatorProcess
from tests.invariants import Evidence, violations
from tests.service import until

SEED = 67  # with it no mixed recipient's connection is dropped after another fault: that would take 20 seconds
SIZES = {"killed": 2500, "down": 20, "broken": 300, "mixed": 1000, "mute": 20, "quota": 20, "apns": 20, "alien": 20, "wrong": 20, "pair": 50}
ENDING = ("killed", "down", "broken", "mixed", "mute", "alien", "wrong", "pair")  # the rest waits for minutes
RETRY_AFTER = {"unavailable": 1, "internal": 1, "quota": 2}  # seconds
OWED = 100  # users of each
HANGING = {  # FCM is killed while it owes these their answers
    "killed-010": {"stall_before": 1.0, "stall_seconds": 60},
    "killed-020": {"stall_after": 1.0, "stall_seconds": 60},
}
BROKEN = {"broken-": {"drop_after": 0.01, "drop": "connection"}}
MUTE = {"mute-": {"unavailable": 0.5, "internal": 0.5}}
REST = {
    "mixed-": {
        "unavailable": 0.2,
        "quota": 0.05,
        "unregistered": 0.02,
        "drop_after": 0.01,
        "drop": "stream",
        "retry_after": RETRY_AFTER,
    },
    "quota-": {"quota": 1.0},
    "apns-": {"third_party_auth": 1.0},
    "alien-": {"sender_id_mismatch": 1.0},
    "wrong-": {"invalid_argument": 1.0},
    "pair-tablet": {"internal": 0.5, "retry_after": RETRY_AFTER},
}
CAUSES = {
    "accepted": "accepted",
    "unavailable": "unavailable",
    "internal": "unavailable",
    "quota": "quota_exceeded",
    "unregistered": "unregistered",
    "sender_id_mismatch": "sender_mismatch",
    "invalid_argument": "invalid_target",
    "third_party_auth": "provider_credential",
}

Sends = Mapping[str, list[Mapping[str, Any]]]


@dataclass(frozen=True)
class Aftermath:
    """What is left of the scenario: the evidence of each fault."""

    scene: Scene
    evidence: Mapping[str, Evidence]

    def sends(self, fault: str) -> Sends:
        """What FCM got for each target, oldest first; less what it refused for its token, since a new one followed."""
        found: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
        for row in self.evidence[fault].sends:
            if row["outcome"] != "unauthenticated":
                found[row["target"]].append(row)
        return found

    def entries(self, fault: str) -> Mapping[str, Mapping[str, Any]]:
        """The entry of each target's user."""
        return {target(entry["_id"]["u"]): entry for entry in self.evidence[fault].entries}


@pytest.fixture(scope="module")
def aftermath(
    mongodb_uri: str, tmp_path_factory: pytest.TempPathFactory, rows: list[Row]
) -> Iterator[Aftermath]:
    directory = tmp_path_factory.mktemp("fcm")
    scene = scene_at(mongodb_uri, "fcm_faults", SimulatorProcess(directory=directory / "fcm"), directory)
    scene.rows = rows
    try:
        migrations.run(scene.database)
        _settle(scene)
        yield _play(scene)
        scene.database.client.drop_database(scene.database)
    finally:
        scene.close()
        scene.fcm.stop()


def _settle(scene: Scene) -> None:
    """The people, and a second device for each pair."""
    for fault, size in SIZES.items():
        populate(scene.database, names(size, fault), {fault: size})
    for user in names(SIZES["pair"], "pair"):
        tablet = Target(TargetType.TOKEN, user.replace("pair", "pair-tablet"))
        scene.services.enrolment.register(user, "tablet", Installation(Platform.ANDROID, tablet))


def _play(scene: Scene) -> Aftermath:
    """FCM dies, then connections break while nobody else is being sent to, and then comes everything else."""
    worker = scene.service.start("worker").ready("worker started")
    scene.begin()
    ids, log = _kill(scene)
    scene.fcm.behave(seed=SEED, prefixes=BROKEN)
    ids["broken"] = scene.accept(groups=["broken"])
    _await_first_try(scene, ids, "broken")
    scene.fcm.behave(seed=SEED, prefixes=REST | MUTE)
    ids |= {fault: scene.accept(groups=[fault]) for fault in SIZES if fault not in ids}
    _await_first_try(scene, ids, *SIZES)
    scene.fcm.behave(seed=SEED, prefixes=REST)
    scene.await_done(*(ids[fault] for fault in ENDING))
    assert worker.stop() == 0
    log += scene.fcm.messages()
    return Aftermath(scene, {fault: Evidence(scene.database, ids[fault], log) for fault in SIZES})


def _kill(scene: Scene) -> tuple[dict[str, str], list[Mapping[str, Any]]]:
    """FCM is killed in mid-dispatch, and comes back a little later. The notifications, and what it had logged."""
    scene.fcm.behave(prefixes=HANGING)
    ids = {"killed": scene.accept(groups=["killed"])}
    until(lambda: scene.fcm.counts()["requests"] == SIZES["killed"], "all have come, and many hang")
    log = scene.fcm.messages()
    scene.fcm.kill()
    assert scene.count(ids["killed"], status="pending") >= 2 * OWED
    ids["down"] = scene.accept(groups=["down"])
    _await_first_try(scene, ids, "down")
    scene.fcm = SimulatorProcess(port=scene.fcm.port, directory=scene.fcm.directory)
    return ids, log


def _await_first_try(scene: Scene, ids: Mapping[str, str], *faults: str) -> None:
    tried = {"history.1": {"$exists": True}}
    for fault in faults:
        until(lambda fault=fault: scene.count(ids[fault], **tried) == SIZES[fault], f"everyone is tried: {fault}")


def cause(row: Mapping[str, Any]) -> str:
    """What a send came to, in the words of the registry."""
    if not row["answered"]:
        return "connection_lost"
    return CAUSES[row["outcome"]]


def causes(entry: Mapping[str, Any]) -> list[str]:
    """The attempts in an entry's history."""
    lines = [line["detail"].partition(": ")[2] for line in entry["history"][1:]]
    return ["accepted" if line.startswith("accepted for") else line for line in lines]


def told(causes: list[str]) -> list[str]:
    """What FCM said, in order; a quota that stays exceeded is told once."""
    said = (cause for cause in causes if cause != "connection_lost")
    return [cause for cause, again in groupby(said) for _ in ([cause] if cause == "quota_exceeded" else again)]


def test_every_invariant_holds_and_no_process_failed(aftermath):
    assert {fault: violations(evidence) for fault, evidence in aftermath.evidence.items()} == dict.fromkeys(SIZES, [])
    assert aftermath.scene.service.failures() == []
    for fault in ENDING:
        evidence = aftermath.evidence[fault]
        reachable = sorted({*names(SIZES[fault], fault)}.difference(evidence.having("failed")))
        aftermath.scene.record(f"FCM: {fault}", evidence, reachable)


def test_every_entry_ends_as_fcms_last_answer_says(aftermath):
    sends, entries = aftermath.sends("mixed"), aftermath.entries("mixed")
    last = {target: cause(rows[-1]) for target, rows in sends.items()}
    assert {target: entry["status"] for target, entry in entries.items()} == {
        target: "sent" if cause == "accepted" else "failed" for target, cause in last.items()
    }
    failed = {target: entry["reason"] for target, entry in entries.items() if entry["status"] == "failed"}
    assert failed == {target: cause for target, cause in last.items() if cause != "accepted"}
    assert set(failed.values()) == {"unregistered"}


def test_the_history_tells_each_attempt_and_quota_costs_none(aftermath):
    sends, entries = aftermath.sends("mixed"), aftermath.entries("mixed")
    for target, rows in sends.items():
        answers, history = [cause(row) for row in rows], causes(entries[target])
        assert told(history) == told(answers)
        assert history.count("connection_lost") >= answers.count("connection_lost")  # a request may never arrive
        assert entries[target]["attempts"] == len(history) - history.count("quota_exceeded")
    met = {cause(row) for rows in sends.values() for row in rows}
    assert met == {"accepted", "unavailable", "quota_exceeded", "unregistered", "connection_lost"}


def test_no_retry_after_is_violated(aftermath):
    assert aftermath.scene.fcm.retry_after_violations() == []
    assert aftermath.scene.fcm.counts()["retry_after_violations"] == 0
    for rows in aftermath.sends("mixed").values():
        for row, following in pairwise(rows):
            if row["outcome"] in RETRY_AFTER:
                assert apart(row, following) >= RETRY_AFTER[row["outcome"]]


@pytest.mark.parametrize("fault", ["killed", "broken", "mixed", "mute"])
def test_without_a_retry_after_the_first_retry_comes_after_ten_seconds(aftermath, fault):
    waited = [
        apart(row, following)
        for rows in aftermath.sends(fault).values()
        for row, following in pairwise(rows)
        if fault == "mute" or cause(row) == "connection_lost"
    ]
    assert min(waited) >= 10
    assert fault != "mute" or len(waited) == SIZES["mute"]


def apart(row: Mapping[str, Any], following: Mapping[str, Any]) -> float:
    """Seconds between two sends."""
    return (datetime.fromisoformat(following["at"]) - datetime.fromisoformat(row["at"])).total_seconds()


@pytest.mark.parametrize("fault", ["killed", "broken"])
def test_only_what_was_not_answered_is_sent_again(aftermath, fault):
    sends, entries = aftermath.sends(fault), aftermath.entries(fault)
    assert {entry["status"] for entry in entries.values()} == {"sent"}
    for target, rows in sends.items():
        assert len(rows) <= causes(entries[target]).count("connection_lost") + 1
    assert aftermath.evidence[fault].duplicates >= 1
    assert aftermath.evidence["killed"].duplicates == OWED


def test_what_never_reached_fcm_is_sent_once_it_is_back(aftermath):
    entries = aftermath.entries("down").values()
    assert [causes(entry) for entry in entries] == [["connection_lost", "accepted"]] * SIZES["down"]
    assert [len(rows) for rows in aftermath.sends("down").values()] == [1] * SIZES["down"]


@pytest.mark.parametrize(("fault", "reason"), [("quota", "quota_exceeded"), ("apns", "provider_credential")])
def test_what_is_not_the_recipients_fault_waits_a_minute_and_costs_no_attempt(aftermath, fault, reason):
    entries = aftermath.entries(fault).values()
    assert {(entry["status"], entry["reason"], entry["attempts"]) for entry in entries} == {("pending", reason, 0)}
    waiting = aftermath.evidence[fault].batches
    last = max(datetime.fromisoformat(row["at"]) for rows in aftermath.sends(fault).values() for row in rows)
    assert all(batch["due_at"] >= last + timedelta(seconds=60) for batch in waiting)
    assert sorted(user for batch in waiting for user in batch["users"]) == names(SIZES[fault], fault)


@pytest.mark.parametrize(("fault", "reason"), [("alien", "sender_mismatch"), ("wrong", "invalid_target")])
def test_a_target_that_can_never_work_fails_at_once_and_is_inactive(aftermath, fault, reason):
    entries = aftermath.entries(fault).values()
    assert {(entry["status"], entry["reason"], entry["attempts"]) for entry in entries} == {("failed", reason, 1)}
    devices = aftermath.evidence[fault].devices
    assert [(device["active"], device["reason"]) for device in devices] == [(False, reason)] * SIZES[fault]


def test_only_the_device_that_failed_is_tried_again(aftermath):
    sends = aftermath.sends("pair")
    phones = [rows for target, rows in sends.items() if not target.startswith("pair-tablet")]
    tablets = [rows for target, rows in sends.items() if target.startswith("pair-tablet")]
    assert [len(rows) for rows in phones] == [1] * SIZES["pair"]
    assert max(len(rows) for rows in tablets) > 1
    assert [rows[-1]["outcome"] for rows in tablets] == ["accepted"] * SIZES["pair"]


def test_the_retry_of_a_second_device_is_confirmed_with_the_first(aftermath):
    """Each pair is in one batch that waits for receipts, though many were settled in two dispatches."""
    batches = aftermath.scene.database.batches.find(
        {"_id.n": ObjectId(aftermath.evidence["pair"].notification_id), "stage": "confirm"}
    )
    assert sorted(user for batch in batches for user in batch["users"]) == names(SIZES["pair"], "pair")
