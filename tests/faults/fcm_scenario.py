"""The scenario in which FCM shows every fault it has; the people of each fault have it in their names.

One for all the tests, since the shortest backoff takes ten seconds.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from notify_server.domain.device import Platform, Target, TargetType
from notify_server.services.enrolment import Installation
from tests.faults.scene import Scene, names, populate, target
from tests.fcm_simulator import SimulatorProcess
from tests.invariants import Evidence
from tests.service import until

SEED = 67  # with it no mixed recipient's connection is dropped after another fault: that would take 20 seconds
SIZES = {
    "killed": 2500,
    "down": 5,  # a probe of the paused channel is as large
    "broken": 300,
    "mixed": 1000,
    "mute": 20,
    "quota": 20,
    "apns": 20,
    "alien": 20,
    "wrong": 20,
    "pair": 50,
}
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


def settle(scene: Scene) -> None:
    """The people, and a second device for each pair."""
    for fault, size in SIZES.items():
        populate(scene.database, names(size, fault), {fault: size})
    for user in names(SIZES["pair"], "pair"):
        tablet = Target(TargetType.TOKEN, user.replace("pair", "pair-tablet"))
        scene.services.enrolment.register(user, "tablet", Installation(Platform.ANDROID, tablet))


def play(scene: Scene) -> Aftermath:
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


def _kill(scene: Scene) -> tuple[dict[str, str], list[dict[str, Any]]]:
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
    for fault in faults:
        until(partial(_all_tried, scene, ids[fault], SIZES[fault]), f"everyone is tried: {fault}")


def _all_tried(scene: Scene, notification: str, size: int) -> bool:
    return scene.count(notification, **{"history.1": {"$exists": True}}) == size
