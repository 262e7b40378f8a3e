from typing import Any

import httpx
import pytest

from tests.fcm_simulator import SimulatorProcess


def test_the_behaviour_that_was_put_is_got_with_its_defaults(fcm: SimulatorProcess) -> None:
    put = fcm.client.put("/_simulator/behaviour", json={"unavailable": 0.25})
    got = fcm.client.get("/_simulator/behaviour")
    assert put.json() == got.json()
    assert (got.json()["unavailable"], got.json()["internal"], got.json()["seed"]) == (0.25, 0.0, 0)


def test_a_wrong_behaviour_changes_nothing_and_is_named(fcm: SimulatorProcess) -> None:
    fcm.behave(unavailable=1)
    answer = fcm.client.put("/_simulator/behaviour", json={"unavailible": 0.5})
    assert (answer.status_code, list(answer.json()["errors"])) == (422, ["unavailible"])
    assert answer.headers["content-type"] == "application/problem+json"
    assert fcm.client.get("/_simulator/behaviour").json()["unavailable"] == 1


@pytest.mark.parametrize("path", ["behaviour", "devices"])
def test_what_is_not_json_is_refused(fcm: SimulatorProcess, path: str) -> None:
    assert fcm.client.put(f"/_simulator/{path}", content=b"{").status_code == 400


def test_the_log_is_narrowed_by_outcome_and_by_prefix(fcm: SimulatorProcess) -> None:
    token = fcm.access_token()
    fcm.behave(prefixes={"bad-": {"unavailable": 1}})
    for target in ("good-1", "bad-1", "good-2"):
        fcm.send({"token": target}, token=token)
    assert [row["target"] for row in fcm.messages(outcome="accepted")] == ["good-1", "good-2"]
    assert [row["outcome"] for row in fcm.messages(target_prefix="bad-")] == ["unavailable"]
    assert fcm.messages(outcome="accepted", target_prefix="bad-") == []


def test_clearing_forgets_messages_and_dead_targets_but_not_the_behaviour(fcm: SimulatorProcess) -> None:
    token = fcm.access_token()
    fcm.behave(prefixes={"dead-": {"unregistered": 1}})
    assert fcm.send({"token": "dead-1"}, token=token).status_code == 404
    fcm.behave(internal=1)
    assert fcm.send({"token": "dead-1"}, token=token).status_code == 404
    fcm.clear()
    assert fcm.counts()["requests"] == 0
    assert fcm.messages() == []
    assert fcm.send({"token": "dead-1"}, token=token).status_code == 500


def test_revoked_tokens_stop_working_and_new_ones_work(fcm: SimulatorProcess) -> None:
    old = fcm.access_token()
    assert fcm.send({"token": "t"}, token=old).status_code == 200
    fcm.revoke_tokens()
    refused = fcm.send({"token": "t"}, token=old)
    assert (refused.status_code, refused.json()["error"]["status"]) == (401, "UNAUTHENTICATED")
    assert fcm.send({"token": "t"}).status_code == 200


def test_devices_are_listed_without_their_tokens(fcm: SimulatorProcess) -> None:
    device = {"target": "t", "api": "http://127.0.0.1:1/", "token": "secret-1", "device_id": "d"}
    fcm.devices([device])
    listed = fcm.client.get("/_simulator/devices")
    assert "secret-1" not in listed.text
    assert [(found["target"], found["device_id"], found["reported"]) for found in listed.json()] == [("t", "d", 0)]
    assert fcm.client.delete("/_simulator/devices").status_code == 204
    assert fcm.client.get("/_simulator/devices").json() == []


@pytest.mark.parametrize(
    ("change", "path"),
    [({"api": "ftp://x"}, "0.api"), ({"read_after": -1}, "0.read_after"), ({"extra": 1}, "0.extra")],
)
def test_a_wrong_device_is_named(fcm: SimulatorProcess, change: dict[str, Any], path: str) -> None:
    device = {"target": "t", "api": "http://127.0.0.1:1", "token": "x", "device_id": "d"}
    answer: httpx.Response = fcm.client.put("/_simulator/devices", json=[{**device, **change}])
    assert (answer.status_code, list(answer.json()["errors"])) == (422, [path])
