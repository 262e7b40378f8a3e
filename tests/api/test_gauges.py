from datetime import timedelta
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from pymongo import MongoClient

from notify_server.api.gauges import Gauges
from notify_server.domain.notification import Channel
from notify_server.domain.pace import Limits
from notify_server.domain.registry import Reason
from notify_server.services.health import Health, Pacing
from notify_server.storage.backlog import Backlog
from notify_server.storage.batches import Batches
from notify_server.storage.documents import Store
from notify_server.storage.expansions import Expansions
from notify_server.storage.paces import Paces
from notify_server.storage.workers import Workers
from tests.builders import NOON, StoppedClock, a_batch, after


def gauges(database: Store) -> dict[str, float]:
    """Each sample by its name and labels, as Prometheus gets it."""
    pacing = Pacing(Paces(database), Workers(database), {Channel.PUSH: Limits(rate=1000.0, ramp=0.0)})
    registry = CollectorRegistry()
    registry.register(Gauges(Health(database, Backlog(database), Expansions(database), pacing, StoppedClock())))
    lines = generate_latest(registry).decode().splitlines()
    samples = [line.rsplit(" ", 1) for line in lines if not line.startswith("#")]
    return {name: float(value) for name, value in samples}


def test_an_idle_installation_has_every_gauge_but_that_of_a_pause(database: Store) -> None:
    assert gauges(database) == {
        "notify_queue_age_seconds": 0,
        'notify_channel_paused{channel="push",reason="credential_refused"}': 0,
        'notify_channel_paused{channel="push",reason="unavailable"}': 0,
        'notify_channel_rate{channel="push"}': 1000,
        'notify_channel_throttle_factor{channel="push"}': 1,
        'notify_workers{sending="true"}': 0,
        'notify_workers{sending="false"}': 0,
    }


@pytest.mark.parametrize("reason", [Reason.CREDENTIAL_REFUSED, Reason.UNAVAILABLE])
def test_a_paused_channel_shows_with_its_reason_and_since_when(database: Store, reason: Reason) -> None:
    Paces(database).change(Channel.PUSH, lambda pace: pace.broken(reason, NOON - timedelta(hours=3)))
    found = gauges(database)
    paused = {name: value for name, value in found.items() if name.startswith("notify_channel_paused{")}
    assert {name for name, value in paused.items() if value} == {
        f'notify_channel_paused{{channel="push",reason="{reason.value}"}}'
    }
    assert found['notify_channel_paused_since_seconds{channel="push"}'] == NOON.timestamp() - 3 * 3600
    assert found['notify_channel_rate{channel="push"}'] == 0


def test_throttling_queue_and_workers_show(database: Store) -> None:
    Paces(database).change(Channel.PUSH, lambda pace: pace.throttled(NOON))
    Batches(database).add(a_batch(due_at=after(-90)))
    for owner, sending in (("one", True), ("two", True), ("three", False)):
        Workers(database).report(owner, NOON, after(3), sending=sending)
    found = gauges(database)
    assert found['notify_channel_rate{channel="push"}'] == 500
    assert found['notify_channel_throttle_factor{channel="push"}'] == 0.5
    assert found["notify_queue_age_seconds"] == 90
    assert (found['notify_workers{sending="true"}'], found['notify_workers{sending="false"}']) == (2, 1)


def test_while_the_database_is_away_there_is_none() -> None:
    with MongoClient[dict[str, Any]]("mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=50") as client:
        assert gauges(client["nowhere"]) == {}
