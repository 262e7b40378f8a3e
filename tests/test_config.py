import os

import pytest

from notify_server import config
from notify_server.errors import ConfigurationError

SECRET = "s" * config.MIN_SECRET


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("NOTIFY_")]:
        monkeypatch.delenv(name)


def test_without_any_variable_the_defaults_hold() -> None:
    loaded = config.load()
    assert (loaded.host, loaded.port, loaded.realtime_port, loaded.simulator_port) == ("127.0.0.1", 8000, 8001, 8002)
    assert str(loaded.data_dir) == "var"
    assert loaded.fcm_endpoint == "https://fcm.googleapis.com"
    assert loaded.jwt_secret == ""  # no default secret


def test_every_problem_is_told_at_once_with_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = {
        "NOTIFY_PORT": "0",
        "NOTIFY_WEB_PROCESSES": "many",
        "NOTIFY_JWT_SECRET": "short",
        "NOTIFY_MONGODB_URI": "http://database",
        "NOTIFY_FCM_ENDPOINT": "http://insecure",
        "NOTIFY_FCM_CA_FILE": "/nowhere/ca.pem",
        "NOTIFY_LEASE": "0",
        "NOTIFY_FCM_RATE": "0",
        "NOTIFY_FCM_RAMP": "-1",
        "NOTIFY_FCM_TRANSPORT": "pigeon",
        "NOTIFY_MAX_BODY": "999999999",
    }
    for name, value in wrong.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError) as caught:
        config.load()
    assert {problem.partition(":")[0] for problem in caught.value.problems} == set(wrong)
    assert "short" not in str(caught.value)  # a secret is not repeated, however bad


def test_values_are_read_and_a_trailing_slash_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_FCM_ENDPOINT", "https://127.0.0.1:8002/")
    monkeypatch.setenv("NOTIFY_JWT_SECRET", SECRET)
    monkeypatch.setenv("NOTIFY_LEASE", "2.5")
    monkeypatch.setenv("NOTIFY_FCM_RATE", "250")
    monkeypatch.setenv("NOTIFY_FCM_RAMP", "0")
    loaded = config.load()
    assert (loaded.fcm_endpoint, loaded.jwt_secret, loaded.lease) == ("https://127.0.0.1:8002", SECRET, 2.5)
    assert (loaded.fcm_rate, loaded.fcm_ramp) == (250.0, 0.0)


def test_the_configuration_does_not_show_its_secrets() -> None:
    assert SECRET not in repr(config.Config(jwt_secret=SECRET, mongodb_uri=f"mongodb://u:{SECRET}@host"))
