import json
from pathlib import Path

import firebase_admin
import google.auth.transport.requests
import pytest
import requests
from firebase_admin import credentials

from notify_server.simulator.service_account import ensure, service_account
from tests.fcm_simulator import SimulatorProcess


def test_the_sdk_gets_a_token_with_the_file_and_sends_with_it(fcm: SimulatorProcess) -> None:
    credential = credentials.Certificate(str(fcm.credentials_file)).get_credential()
    with requests.Session() as session:
        session.trust_env = False  # REQUESTS_CA_BUNDLE would override verify
        session.verify = str(fcm.ca_file)
        credential.refresh(google.auth.transport.requests.Request(session=session))
    assert fcm.send({"fid": "f"}, token=credential.token).is_success
    assert not credential.expired


def test_every_account_has_a_key_of_its_own() -> None:
    one, two = (service_account("p", "https://localhost:1/token") for _ in range(2))
    assert one["private_key"] != two["private_key"]
    assert credentials.Certificate(one).project_id == "p"
    assert firebase_admin.credentials.Certificate(two).service_account_email == "simulator@p.iam.gserviceaccount.com"


def test_the_file_is_private_and_used_again_while_it_fits(tmp_path: Path) -> None:
    path = tmp_path / "new" / "service-account.json"
    ensure(path, "p", "https://localhost:1/token")
    before = path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600
    ensure(path, "p", "https://localhost:1/token")
    assert path.read_bytes() == before
    ensure(path, "p", "https://localhost:2/token")
    assert json.loads(path.read_bytes())["token_uri"] == "https://localhost:2/token"


@pytest.mark.parametrize("damage", [b"", b"[]", b"{}", b"\xff"])
def test_a_broken_file_is_replaced(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "service-account.json"
    path.write_bytes(damage)
    ensure(path, "p", "https://localhost:1/token")
    assert credentials.Certificate(str(path)).project_id == "p"
