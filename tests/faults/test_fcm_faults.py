"""FCM shows every fault it has: each entry ends as fcm.md says, and no sooner than it says."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from itertools import groupby, pairwise
from typing import Any

import pytest
from bson import ObjectId

from notify_server.storage import migrations
from tests.faults.fcm_scenario import ENDING, OWED, RETRY_AFTER, SIZES, Aftermath, play, settle
from tests.faults.scene import Row, names, scene_at, target
from tests.fcm_simulator import SimulatorProcess
from tests.invariants import violations

WITHIN = 300.0  # seconds: FCM's own backoff, not ours, says when it may be asked again, and all faults follow in turn
MILLISECOND = timedelta(milliseconds=1)  # the database counts no finer, nor does what a process knows of its clock
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


@pytest.fixture(scope="module")
def aftermath(mongodb_uri: str, tmp_path_factory: pytest.TempPathFactory, rows: list[Row]) -> Iterator[Aftermath]:
    directory = tmp_path_factory.mktemp("fcm")
    scene = scene_at(mongodb_uri, "fcm_faults", SimulatorProcess(directory=directory / "fcm"), directory)
    scene.rows = rows
    try:
        migrations.run(scene.database)
        settle(scene)
        yield play(scene)
        scene.database.client.drop_database(scene.database)
    finally:
        scene.close()
        scene.fcm.stop()


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
    for evidence in aftermath.evidence.values():
        assert violations(evidence) == []
    assert aftermath.scene.service.failures() == []
    for fault in ENDING:
        evidence = aftermath.evidence[fault]
        reachable = sorted({*names(SIZES[fault], fault)}.difference(evidence.having("failed")))
        aftermath.scene.record(f"FCM: {fault}", evidence, reachable, within=WITHIN)


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
    for user_target, rows in sends.items():
        answers, history = [cause(row) for row in rows], causes(entries[user_target])
        assert told(history) == told(answers)
        assert history.count("connection_lost") >= answers.count("connection_lost")  # a request may never arrive
        assert entries[user_target]["attempts"] == len(history) - history.count("quota_exceeded")
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
    for user_target, rows in sends.items():
        assert len(rows) <= causes(entries[user_target]).count("connection_lost") + 1
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
    sends = aftermath.sends(fault)
    for batch in waiting:
        last = max(datetime.fromisoformat(row["at"]) for user in batch["users"] for row in sends[target(user)])
        assert batch["due_at"] > last + timedelta(seconds=60) - 2 * MILLISECOND
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
