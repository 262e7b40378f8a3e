import time

import httpx
import pytest

from tests.fcm_simulator import SimulatorProcess


@pytest.fixture
def token(fcm: SimulatorProcess) -> str:
    return fcm.access_token()


def _code(answer: httpx.Response) -> str | None:
    details = answer.json()["error"].get("details", [])
    return next((d["errorCode"] for d in details if d["@type"].endswith("fcm.v1.FcmError")), None)


@pytest.mark.parametrize(
    ("fault", "wanted"),
    [
        ("unavailable", (503, "UNAVAILABLE", "UNAVAILABLE")),
        ("internal", (500, "INTERNAL", "INTERNAL")),
        ("quota", (429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED")),
        ("unregistered", (404, "NOT_FOUND", "UNREGISTERED")),
        ("sender_id_mismatch", (403, "PERMISSION_DENIED", "SENDER_ID_MISMATCH")),
        ("invalid_argument", (400, "INVALID_ARGUMENT", "INVALID_ARGUMENT")),
        ("unauthenticated", (401, "UNAUTHENTICATED", None)),
        ("third_party_auth", (401, "UNAUTHENTICATED", "THIRD_PARTY_AUTH_ERROR")),
    ],
)
def test_each_error_can_be_had(
    fcm: SimulatorProcess, token: str, fault: str, wanted: tuple[int, str, str | None]
) -> None:
    fcm.behave(**{fault: 1})
    answer = fcm.send({"fid": "f"}, token=token)
    assert (answer.status_code, answer.json()["error"]["status"], _code(answer)) == wanted
    assert "retry-after" not in answer.headers
    assert fcm.counts()["by_outcome"] == {fault: 1}
    assert fcm.messages()[0]["name"] is None


def test_every_accepted_message_has_a_name_of_its_own(fcm: SimulatorProcess, token: str) -> None:
    message = {"fid": "f", "data": {"notification_id": "n"}}
    names = [fcm.send(message, token=token).json()["name"] for _ in range(3)]
    assert len(set(names)) == 3
    assert all(name.startswith("projects/demo-notify/messages/") for name in names)
    assert [row["name"] for row in fcm.messages()] == names
    assert fcm.messages()[0]["message"] == {"data": {"notification_id": "n"}}
    assert (fcm.counts()["accepted"], fcm.counts()["duplicates"]) == (3, 2)


def test_validate_only_delivers_nothing(fcm: SimulatorProcess, token: str) -> None:
    answer = fcm.send({"fid": "f"}, token=token, validate_only=True)
    assert answer.json() == {"name": "projects/demo-notify/messages/fake_message_id"}
    assert fcm.counts()["by_outcome"] == {"validated": 1}
    assert fcm.counts()["targets"] == 0
    assert fcm.send({"fid": "f"}, token=token, validateOnly=False).is_success
    assert fcm.counts()["accepted"] == 1


def test_without_a_good_token_nothing_is_sent(fcm: SimulatorProcess) -> None:
    path, body = "/v1/projects/demo-notify/messages:send", {"message": {"fid": "f"}}
    for headers, reason in (
        ({}, "CREDENTIALS_MISSING"),
        ({"authorization": "Bearer nonsense"}, "ACCESS_TOKEN_EXPIRED"),
        ({"authorization": "Basic eDp5"}, "ACCESS_TOKEN_EXPIRED"),
    ):
        answer = fcm.client.post(path, json=body, headers=headers)
        assert (answer.status_code, answer.json()["error"]["details"][0]["reason"]) == (401, reason)
    assert fcm.counts()["by_outcome"] == {"unauthenticated": 3}
    assert fcm.messages()[0]["target"] == "f"


def test_another_project_is_denied(fcm: SimulatorProcess, token: str) -> None:
    answer = fcm.client.post(
        "/v1/projects/other/messages:send",
        json={"message": {"fid": "f"}},
        headers={"authorization": f"Bearer {token}"},
    )
    assert (answer.status_code, answer.json()["error"]["status"]) == (403, "PERMISSION_DENIED")
    assert _code(answer) is None
    assert fcm.counts()["by_outcome"] == {"permission_denied": 1}


def test_an_unregistered_target_stays_unregistered(fcm: SimulatorProcess, token: str) -> None:
    fcm.behave(unregistered=1)
    fcm.send({"fid": "f"}, token=token)
    fcm.behave()
    assert fcm.send({"fid": "f"}, token=token).status_code == 404
    assert fcm.send({"fid": "other"}, token=token).status_code == 200


def test_an_early_send_violates_retry_after(fcm: SimulatorProcess, token: str) -> None:
    fcm.behave(unavailable=1, retry_after={"unavailable": 60})
    answer = fcm.send({"fid": "f"}, token=token)
    assert answer.headers["retry-after"] == "60"
    assert fcm.counts()["retry_after_violations"] == 0
    fcm.behave()
    fcm.send({"fid": "other"}, token=token)
    assert fcm.counts()["retry_after_violations"] == 0
    fcm.send({"fid": "f"}, token=token)
    assert fcm.counts()["retry_after_violations"] == 1
    (violation,) = fcm.retry_after_violations()
    assert violation["target"] == "f"
    assert 50 < violation["early_by"] <= 60


def test_a_send_in_time_does_not_violate_retry_after(fcm: SimulatorProcess, token: str) -> None:
    fcm.behave(quota=1, retry_after={"quota": 1})
    fcm.send({"fid": "f"}, token=token)
    fcm.behave()
    time.sleep(1.0)
    fcm.send({"fid": "f"}, token=token)
    assert fcm.counts()["retry_after_violations"] == 0


def test_beyond_the_quota_comes_429_with_the_time_left(fcm: SimulatorProcess, token: str) -> None:
    fcm.behave(quota_per_minute=2)
    answers = [fcm.send({"fid": f"f{number}"}, token=token) for number in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert 1 <= int(answers[2].headers["retry-after"]) <= 60
    fcm.send({"fid": "f2"}, token=token)
    assert fcm.counts()["retry_after_violations"] == 1


def test_a_message_that_is_refused_uses_quota_too(fcm: SimulatorProcess, token: str) -> None:
    fcm.behave(quota_per_minute=1)
    assert fcm.send({"nonsense": 1}, token=token).status_code == 400
    assert fcm.send({"fid": "f"}, token=token).status_code == 429


@pytest.mark.parametrize(
    ("fault", "outcome", "accepted"), [("drop_before", "dropped", 0), ("drop_after", "accepted", 1)]
)
def test_a_drop_comes_before_or_after_the_accept(
    fcm: SimulatorProcess, token: str, fault: str, outcome: str, accepted: int
) -> None:
    fcm.behave(prefixes={"lost": {fault: 1}})
    with fcm.new_client() as client, pytest.raises(httpx.RemoteProtocolError):
        client.post(
            "/v1/projects/demo-notify/messages:send",
            json={"message": {"fid": "lost"}},
            headers={"authorization": f"Bearer {token}"},
        )
    (row,) = fcm.messages()
    assert (row["outcome"], row["answered"]) == (outcome, False)
    assert (fcm.counts()["accepted"], fcm.counts()["unanswered"]) == (accepted, 1)


@pytest.mark.parametrize(("fault", "status", "accepted"), [("stall_before", 503, 0), ("stall_after", 200, 1)])
def test_a_stalled_answer_comes_late(fcm: SimulatorProcess, token: str, fault: str, status: int, accepted: int) -> None:
    fcm.behave(**{fault: 1}, stall_seconds=0.5)
    began = time.monotonic()
    assert fcm.send({"fid": "f"}, token=token).status_code == status
    assert time.monotonic() - began >= 0.5
    assert (fcm.counts()["accepted"], fcm.counts()["unanswered"]) == (accepted, 1)


def test_a_client_that_gives_up_on_a_stalled_answer_harms_nobody(fcm: SimulatorProcess, token: str) -> None:
    fcm.behave(stall_after=1, stall_seconds=1)
    with fcm.new_client() as client, pytest.raises(httpx.ReadTimeout):
        client.post(
            "/v1/projects/demo-notify/messages:send",
            json={"message": {"fid": "f"}},
            headers={"authorization": f"Bearer {token}"},
            timeout=0.2,
        )
    fcm.behave()
    assert fcm.send({"fid": "g"}, token=token).is_success
    assert fcm.counts()["accepted"] == 2


def test_latency_delays_every_answer(fcm: SimulatorProcess, token: str) -> None:
    fcm.behave(latency={"min": 0.3, "max": 0.3})
    began = time.monotonic()
    assert fcm.send({"fid": "f"}, token=token).is_success
    assert time.monotonic() - began >= 0.3


def test_a_run_repeats_with_its_seed(fcm: SimulatorProcess, token: str) -> None:
    runs = []
    for seed in (1, 1, 2):
        fcm.clear()
        fcm.behave(seed=seed, unavailable=0.3, unregistered=0.2)
        runs.append([fcm.send({"fid": f"f{number}"}, token=token).status_code for number in range(40)])
    assert runs[0] == runs[1] != runs[2]
    assert set(runs[0]) == {200, 404, 503}


def test_counting_goes_on_without_the_log(fcm: SimulatorProcess, token: str) -> None:
    fcm.behave(log=False)
    fcm.send({"fid": "f"}, token=token)
    fcm.send({"nonsense": 1}, token=token)
    assert fcm.messages() == []
    assert fcm.counts()["by_outcome"] == {"accepted": 1, "invalid_argument": 1}
