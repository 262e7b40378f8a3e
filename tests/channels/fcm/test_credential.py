import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import firebase_admin.credentials
import pytest
from structlog.testing import capture_logs

from notify_server.channels.fcm.credential import HOLD_OFF, Credential
from notify_server.errors import CredentialError
from tests.fcm_simulator import SimulatorProcess


class Clock:
    """The time now, plus what a test has added to it."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def credential(fcm: SimulatorProcess, clock: Clock) -> Credential:
    source = firebase_admin.credentials.Certificate(str(fcm.credentials_file))
    return Credential(str(fcm.ca_file), source, clock)


def works(fcm: SimulatorProcess, headers: tuple[str, ...]) -> bool:
    token = headers[0].removeprefix("Authorization: Bearer ")
    return fcm.send({"token": "t", "data": {"k": "v"}}, token=token).is_success


def test_a_header_is_a_bearer_token_that_fcm_takes(credential: Credential, fcm: SimulatorProcess) -> None:
    headers = credential.headers()
    assert headers[0].startswith("Authorization: Bearer ")
    assert works(fcm, headers)
    assert credential.headers() is headers


def test_the_environment_names_the_credential(fcm: SimulatorProcess) -> None:
    credential = Credential(str(fcm.ca_file))
    assert credential.project() == fcm.project
    assert works(fcm, credential.headers())


def test_a_token_that_ends_soon_is_renewed_while_it_still_serves(credential: Credential, clock: Clock) -> None:
    first = credential.headers()
    clock.ahead = timedelta(minutes=57)
    assert credential.headers() is first
    for thread in threading.enumerate():
        if thread.name == "fcm-credential":
            thread.join()
    assert credential.headers() != first


def test_a_token_that_has_ended_is_waited_for(credential: Credential, clock: Clock) -> None:
    first = credential.headers()
    clock.ahead = timedelta(hours=2)
    assert credential.headers() != first


def test_threads_that_met_401_together_renew_once(credential: Credential, fcm: SimulatorProcess) -> None:
    used = credential.headers()
    fcm.revoke_tokens()
    renewed: list[tuple[str, ...]] = []
    threads = [threading.Thread(target=lambda: renewed.append(credential.renew(used))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(renewed)) == 1
    assert renewed[0] != used
    assert works(fcm, renewed[0])


def test_a_refused_credential_is_held_back_and_then_renewed(credential: Credential, clock: Clock) -> None:
    refused = credential.headers()
    credential.refuse(refused)
    with pytest.raises(CredentialError):
        credential.headers()
    clock.ahead = HOLD_OFF
    assert credential.headers() != refused


def test_a_refusal_of_an_older_token_changes_nothing(credential: Credential) -> None:
    old = credential.headers()
    new = credential.renew(old)
    credential.refuse(old)
    assert credential.headers() is new


def test_a_token_endpoint_that_is_down_is_left_alone_for_a_while(
    credential: Credential, fcm: SimulatorProcess, clock: Clock
) -> None:
    fcm.behave(token_unavailable=1)
    with capture_logs() as logs, pytest.raises(CredentialError):
        credential.headers()
    assert [entry["event"] for entry in logs] == ["fcm_credential_unavailable"]
    fcm.behave()
    with pytest.raises(CredentialError):
        credential.headers()
    clock.ahead = HOLD_OFF
    assert works(fcm, credential.headers())


def test_a_failed_renewal_leaves_the_old_token_in_use(
    credential: Credential, fcm: SimulatorProcess, clock: Clock
) -> None:
    first = credential.headers()
    fcm.behave(token_unavailable=1)
    clock.ahead = timedelta(minutes=57)
    assert credential.headers() is first
    for thread in threading.enumerate():
        if thread.name == "fcm-credential":
            thread.join()
    assert credential.headers() is first


def test_neither_logs_nor_reprs_show_a_token(credential: Credential, fcm: SimulatorProcess) -> None:
    with capture_logs() as logs:
        headers = credential.headers()
        credential.refuse(headers)
    token = headers[0].rpartition(" ")[2]
    assert token not in repr(logs)
    assert token not in repr(vars(credential))
    assert len(logs) == 1


@pytest.mark.parametrize("content", [None, "not json", '{"type": "service_account"}'])
def test_a_credential_that_cannot_be_read_is_said_to_be_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None
) -> None:
    path = tmp_path / "account.json"
    if content is not None:
        path.write_text(content)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
    with pytest.raises(CredentialError):
        Credential().headers()
    with pytest.raises(CredentialError):
        Credential().project()
