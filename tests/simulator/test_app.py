import httpx
import pycurl
import pytest

from tests.fcm_simulator import SimulatorProcess

HTTP2_STREAM = 92  # CURLE_HTTP2_STREAM, which pycurl gives no name
PATH = "/v1/projects/demo-notify/messages:send"


@pytest.mark.parametrize(("http2", "version"), [(True, "HTTP/2"), (False, "HTTP/1.1")])
def test_a_message_is_accepted_over_either_protocol(fcm: SimulatorProcess, http2: bool, version: str) -> None:
    headers = {"authorization": f"Bearer {fcm.access_token()}"}
    with fcm.new_client(http2=http2) as client:
        answer = client.post(PATH, json={"message": {"fid": "f1"}}, headers=headers)
    assert (answer.status_code, answer.http_version) == (200, version)
    assert answer.headers["content-type"] == "application/json; charset=UTF-8"
    assert fcm.counts()["accepted"] == 1


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", PATH, 405),
        ("DELETE", PATH, 405),
        ("GET", "/token", 405),
        ("POST", "/v1/projects/demo-notify/messages", 404),
        ("POST", "/v1/projects/demo-notify/messages:batchSend", 404),
        ("GET", "/", 404),
        ("GET", "/_simulator/nothing", 404),
        ("POST", "/_simulator/messages", 405),
        ("PUT", "/_simulator/counts", 405),
    ],
)
def test_a_wrong_path_or_method_is_answered_in_json(fcm: SimulatorProcess, method: str, path: str, status: int) -> None:
    answer = fcm.client.request(method, path)
    assert answer.status_code == status
    content = answer.json()
    assert status in (content.get("status"), content.get("error", {}).get("code"))
    assert ("allow" in answer.headers) == (status == 405)
    assert fcm.counts()["requests"] == 0


@pytest.mark.parametrize("http2", [True, False])
def test_a_dropped_connection_gives_the_client_no_status(fcm: SimulatorProcess, http2: bool) -> None:
    headers = {"authorization": f"Bearer {fcm.access_token()}"}
    fcm.behave(drop_after=1)
    with fcm.new_client(http2=http2) as client, pytest.raises(httpx.RemoteProtocolError, match="disconnected"):
        client.post(PATH, json={"message": {"fid": "f1"}}, headers=headers)
    assert fcm.counts()["by_outcome"] == {"accepted": 1}


def test_a_lost_stream_leaves_the_others_of_its_connection_alone(fcm: SimulatorProcess) -> None:
    token = fcm.access_token()
    fcm.behave(drop="stream", prefixes={"lost-": {"drop_after": 1, "drop": "stream"}})
    curl = pycurl.Curl()
    curl.setopt(pycurl.CAINFO, str(fcm.ca_file))
    curl.setopt(pycurl.URL, fcm.url + PATH)
    curl.setopt(pycurl.HTTPHEADER, [f"Authorization: Bearer {token}"])
    curl.setopt(pycurl.WRITEFUNCTION, len)
    connections = []
    for target, code in (("ok-1", 0), ("lost-1", HTTP2_STREAM), ("ok-2", 0)):
        curl.setopt(pycurl.POSTFIELDS, f'{{"message":{{"fid":"{target}"}}}}')
        try:
            curl.perform()
            failed_with = 0
        except pycurl.error as error:
            failed_with = error.args[0]
        assert failed_with == code
        connections.append(curl.getinfo(pycurl.NUM_CONNECTS))
    curl.close()
    assert connections == [1, 0, 0]
    assert [row["target"] for row in fcm.messages(outcome="accepted")] == ["ok-1", "lost-1", "ok-2"]


def test_the_log_comes_as_ndjson_however_long_it_is(fcm: SimulatorProcess) -> None:
    token = fcm.access_token()
    for number in range(1100):
        assert fcm.send({"fid": f"f{number}"}, token=token).is_success
    answer = fcm.client.get("/_simulator/messages")
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert [row["target"] for row in fcm.messages()] == [f"f{number}" for number in range(1100)]


def test_an_unknown_filter_of_the_log_is_refused(fcm: SimulatorProcess) -> None:
    for query in ("outcome=nonsense", "colour=red"):
        answer = fcm.client.get(f"/_simulator/messages?{query}")
        assert answer.status_code == 422
        assert list(answer.json()["errors"]) == [query.partition("=")[0]]
