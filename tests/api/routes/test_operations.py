import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from notify_server.api.app import create_app
from notify_server.bootstrap import build_services
from notify_server.domain.batch import Batch, BatchKey
from notify_server.domain.notification import Channel
from notify_server.domain.registry import Reason
from notify_server.services.clock import utc_now
from notify_server.storage import migrations
from notify_server.storage.batches import Batches
from notify_server.storage.database import connect
from notify_server.storage.paces import Paces
from tests.api.caller import Caller, refused
from tests.api.contract import Contract


@pytest.fixture
def anyone(caller: Callable[[str], Caller]) -> Caller:
    """A client without a token."""
    return caller("")


def test_a_living_process_says_so(anyone):
    assert anyone.get("/healthz").json == {"status": "alive"}


def test_it_is_ready_with_a_database_that_is_migrated(anyone):
    answer = anyone.get("/readyz").json
    assert answer["status"] == "ready"
    channel = answer["channels"]["push"]
    assert channel.pop("rate") > 0
    assert channel == {"state": "working", "reason": None, "since": None, "until": None}


def test_it_is_ready_though_a_channel_is_paused_and_says_so(anyone, database):
    at = utc_now()
    Paces(database).change(Channel.PUSH, lambda pace: pace.broken(Reason.CREDENTIAL_REFUSED, at))
    answer = anyone.get("/readyz")
    assert (answer.status_code, answer.json["status"]) == (200, "ready")
    shown = answer.json["channels"]["push"]
    assert {name: shown[name] for name in ("state", "reason", "rate")} == {
        "state": "paused",
        "reason": "credential_refused",
        "rate": 0,
    }
    times = [datetime.fromisoformat(shown[name]) for name in ("since", "until")]
    assert times == [at, at + timedelta(seconds=10)]
    lines = anyone.get("/metrics").text.splitlines()
    assert 'notify_channel_paused{channel="push",reason="credential_refused"} 1.0' in lines


def test_it_is_not_ready_before_the_database_is_migrated(bare_database, config):
    app = create_app(config, build_services(config, bare_database))
    answer = Caller(app, Contract(app), "").get("/readyz")
    refused(answer, 503)
    assert "notify-server migrate" in answer.json["detail"]
    assert int(answer.headers["Retry-After"]) > 0


def test_metrics_count_what_was_accepted_and_show_the_age_of_the_queue(anyone, backend, notify, database):
    def value(name):
        lines = anyone.get("/metrics").text.splitlines()
        return next(float(line.split()[-1]) for line in lines if line.startswith(f"{name} "))

    before = value("notify_notifications_accepted_total")
    identity = notify("u1")
    assert value("notify_notifications_accepted_total") == before + 1
    assert value("notify_queue_age_seconds") < 300
    due_at = utc_now() - timedelta(minutes=5)
    Batches(database).add(Batch(BatchKey(identity, Channel.PUSH, ""), ("u1",), due_at))
    assert 299 < value("notify_queue_age_seconds") < 3600  # times are stored to the millisecond


def test_no_metric_is_given_twice(anyone):
    families = [line for line in anyone.get("/metrics").text.splitlines() if line.startswith("# TYPE")]
    assert len(families) == len(set(families)) > 0


def test_the_document_is_the_one_that_answers_are_held_against(anyone, app):
    assert anyone.get("/openapi.json").json == app.extensions["openapi"]


def test_the_document_of_the_realtime_port_is_served_beside_it(anyone, app):
    assert anyone.get("/asyncapi.json").json == app.extensions["asyncapi"]


def test_while_the_database_is_away_what_needs_it_is_503_and_goes_on_when_it_is_back(config, mongod):
    database = connect(replace(config, mongodb_uri=mongod.uri))
    with database.client, ThreadPoolExecutor(8) as at_once:
        migrations.run(database)
        services = build_services(config, database)
        app = create_app(config, services)
        contract = Contract(app)
        backend = Caller(app, contract, services.server_tokens.create("t", []))
        phone = Caller(app, contract, services.user_tokens.mint("u1")[0])
        assert backend.get("/readyz").status_code == 200
        mongod.kill()
        while database.client.topology_description.has_writable_server():
            time.sleep(0.01)  # the driver notices; before that a request may wait twice
        away = [
            at_once.submit(backend.get, "/readyz"),
            at_once.submit(backend.post, "/v1/notifications", {"message": {"title": "t"}, "users": ["u"]}),
            at_once.submit(backend.get, "/v1/notifications"),
            at_once.submit(backend.put, "/v1/users/u1", {}),
            at_once.submit(phone.get, "/v1/me/devices"),
        ]
        metrics = at_once.submit(backend.get, "/metrics")
        assert backend.get("/healthz").status_code == 200
        for answer in (call.result() for call in away):
            refused(answer, 503)
            assert int(answer.headers["Retry-After"]) > 0
        assert metrics.result().status_code == 200
        assert "notify_queue_age_seconds" not in metrics.result().text
        mongod.start()
        assert backend.get("/readyz").status_code == 200
        assert backend.get("/v1/notifications").json["notifications"] == []
