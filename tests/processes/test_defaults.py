from dataclasses import replace

import pytest

from notify_server.config import MIN_SECRET, Config
from notify_server.errors import ConfigurationError
from notify_server.processes import defaults

URI = "mongodb://127.0.0.1:1/"


@pytest.fixture
def config(tmp_path):
    return Config(data_dir=tmp_path)


def test_the_key_of_user_tokens_is_made_once_for_its_owners_eyes_only(config, tmp_path):
    first = defaults.complete(config, URI).jwt_secret
    assert len(first) >= MIN_SECRET
    assert defaults.complete(config, URI).jwt_secret == first
    assert (tmp_path / "secrets.json").stat().st_mode & 0o777 == 0o600


def test_a_kept_key_that_others_can_read_is_closed_to_them(config, tmp_path):
    first = defaults.complete(config, URI).jwt_secret
    (tmp_path / "secrets.json").chmod(0o644)
    assert defaults.complete(config, URI).jwt_secret == first
    assert (tmp_path / "secrets.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "{}", '{"jwt_secret": ""}', '{"jwt_secret": 5}', '{"jwt_secret": "s"}']
)
def test_a_kept_key_that_is_none_is_refused_and_left_alone(config, tmp_path, content):
    path = tmp_path / "secrets.json"
    path.write_text(content)
    with pytest.raises(ConfigurationError, match=r"secrets\.json"):
        defaults.complete(config, URI)
    assert path.read_text() == content


def test_a_configured_key_wins_and_none_is_made(config, tmp_path):
    assert defaults.complete(replace(config, jwt_secret="k" * 32), URI).jwt_secret == "k" * 32
    assert not (tmp_path / "secrets.json").exists()


def test_without_a_firebase_project_everything_leads_to_the_simulator(config, tmp_path):
    completed = defaults.complete(config, URI)
    assert completed.mongodb_uri == URI
    assert completed.fcm_endpoint == "https://127.0.0.1:8002"
    told = defaults.environment(completed, simulator=True)
    assert told["NOTIFY_FCM_PROJECT"] == completed.fcm_project != ""
    assert told["NOTIFY_FCM_ENDPOINT"] == completed.fcm_endpoint
    assert told["NOTIFY_FCM_CA_FILE"] == str(tmp_path / "run/simulator/ca.pem") == completed.fcm_ca_file
    assert told["GOOGLE_APPLICATION_CREDENTIALS"] == str(tmp_path / "run/simulator/service-account.json")


@pytest.mark.parametrize(("host", "there"), [("127.0.0.1", "True"), ("localhost", "True"), ("0.0.0.0", "False")])
def test_the_demo_page_is_there_while_nobody_else_can_reach_it(config, host, there):
    completed = defaults.complete(replace(config, host=host), URI)
    assert defaults.environment(completed, simulator=True)["NOTIFY_DEMO"] == there


@pytest.mark.parametrize(
    ("settings", "caught"),
    [({}, "True"), ({"host": "0.0.0.0"}, "False"), ({"smtp_host": "mail"}, "False"), ({"sendgrid_key": "k"}, "False")],
)
def test_mails_are_caught_on_this_machine_until_a_service_is_configured(config, settings, caught):
    completed = defaults.complete(replace(config, **settings), URI)
    assert defaults.environment(completed, simulator=True)["NOTIFY_MAIL_CATCHER"] == caught


def test_a_configured_firebase_project_is_left_alone(config):
    configured = replace(config, fcm_project="real", fcm_endpoint="https://fcm.example")
    assert not defaults.uses_simulator(configured)
    completed = defaults.complete(configured, URI)
    assert (completed.fcm_project, completed.fcm_endpoint) == ("real", "https://fcm.example")
    told = defaults.environment(completed, simulator=False)
    assert not [name for name in told if "FCM" in name or "GOOGLE" in name]


def test_the_metrics_of_processes_long_gone_are_cleared(config, tmp_path):
    defaults.clear_metrics(config)
    (tmp_path / "run/metrics/counter_1.db").touch()
    defaults.clear_metrics(config)
    assert list((tmp_path / "run/metrics").iterdir()) == []
    completed = defaults.complete(config, URI)
    assert defaults.environment(completed, simulator=True)["PROMETHEUS_MULTIPROC_DIR"] == str(tmp_path / "run/metrics")
