"""FCM refuses our credential, or is down: the channel is paused for all workers, shows, and goes on by itself.

The requests that reach an FCM which does not work are bounded: what is in hand when it breaks, and then probes.
"""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from notify_server.domain.notification import Channel
from notify_server.domain.pace import Pace
from notify_server.storage.paces import Paces
from tests.faults.api import Api
from tests.faults.conftest import SOME
from tests.faults.scene import BATCH, Scene
from tests.fcm_simulator import SimulatorProcess
from tests.service import Service, until

WORKERS = 2
IN_HAND = WORKERS * 4 * BATCH  # each thread may have handed over a batch before the channel was paused
PROBE = 5  # messages
PROBES = 12  # more than there is time for in any of these tests


@pytest.fixture
def api(scene: Scene) -> Iterator[Api]:
    scene.service.start("web", web_processes=1)
    api = Api(scene)
    api.await_ready()
    yield api
    api.close()


@pytest.fixture
def workers(scene: Scene) -> None:
    for _ in range(WORKERS):
        scene.service.start("worker").ready("worker started")


def pace(scene: Scene) -> Pace:
    return Paces(scene.database).get(Channel.PUSH)


def shown(api: Api) -> dict[str, Any]:
    """What /readyz, which stays 200, says of the channel."""
    answer = api.client.get("/readyz")
    assert answer.status_code == 200
    channel: dict[str, Any] = answer.json()["channels"]["push"]
    return channel


def gauges(api: Api) -> dict[str, float]:
    samples = (line.rsplit(" ", 1) for line in api.client.get("/metrics").text.splitlines() if line[0] != "#")
    return {name: float(value) for name, value in samples}


def await_pauses(scene: Scene, pauses: int) -> None:
    until(lambda: pace(scene).failures >= pauses, f"the channel is paused for the {pauses}. time")


@pytest.mark.full
@pytest.mark.parametrize("trouble", ["refused by FCM", "no token"])
def test_a_refused_credential_pauses_all_shows_and_heals_by_itself(
    scene: Scene, api: Api, workers: None, people: list[str], trouble: str
) -> None:
    scene.fcm.behave(**({"unauthenticated": 1.0} if trouble == "refused by FCM" else {"token_unavailable": 1.0}))
    notification = scene.accept(groups=["some"])
    scene.begin()
    await_pauses(scene, 1)
    channel = shown(api)
    assert (channel["state"], channel["reason"], channel["rate"]) == ("paused", "credential_refused", 0)
    assert channel["since"] < channel["until"]
    found = gauges(api)
    assert found['notify_channel_paused{channel="push",reason="credential_refused"}'] == 1
    assert found['notify_channel_paused_since_seconds{channel="push"}'] == pace(scene).paused_at.timestamp()
    assert found['notify_workers{sending="true"}'] + found['notify_workers{sending="false"}'] == WORKERS
    until(lambda: scene.notification(notification)["expanded"], "all are entered meanwhile")
    until(lambda: not scene.database.batches.count_documents({"owner": {"$ne": None}}), "nothing is kept in hand")
    assert scene.count(notification, status="pending", attempts=0) == SOME
    assert scene.count(notification, reason="credential_refused") > 0
    before = scene.fcm.counts()["requests"]
    await_pauses(scene, 2)
    assert scene.fcm.counts()["requests"] - before <= 2 * PROBE * PROBES
    assert scene.fcm.counts()["accepted"] == 0
    scene.fcm.behave()
    scene.await_done(notification)
    until(lambda: shown(api)["state"] == "working", "that it works again shows")
    evidence = scene.sent_to_all(f"credential: {trouble}", notification, people[:SOME], within=90)
    assert evidence.duplicates == 0
    assert {entry["attempts"] for entry in evidence.entries} == {1}
    told = [process.output for process in scene.service.processes]
    assert any("push channel works again" in output for output in told)
    assert not [secret for secret in ("ya29.", "Bearer", "PRIVATE KEY", "t" * 40) if any(secret in o for o in told)]


def test_a_credential_of_the_app_for_one_platform_pauses_nothing(
    scene: Scene, workers: None, people: list[str]
) -> None:
    scene.fcm.behave(prefixes={user: {"third_party_auth": 1.0} for user in people[:1000]})
    notification = scene.accept(groups=["some"])
    until(lambda: scene.count(notification, reason="provider_credential") == 1000, "those wait")
    until(lambda: scene.count(notification, status="sent") == SOME - 1000, "the others are sent to")
    assert pace(scene).failures == 0
    assert scene.service.failures() == []


@pytest.mark.full
def test_an_fcm_that_answers_503_gets_probes_only(scene: Scene, api: Api, workers: None, people: list[str]) -> None:
    scene.fcm.behave(unavailable=1.0)
    notification = scene.accept(groups=["all"])
    scene.begin()
    await_pauses(scene, 1)
    assert (shown(api)["state"], shown(api)["reason"]) == ("paused", "unavailable")
    assert gauges(api)['notify_channel_paused{channel="push",reason="unavailable"}'] == 1
    await_pauses(scene, 2)
    assert scene.fcm.counts()["requests"] <= IN_HAND + PROBE * PROBES
    scene.fcm.behave()
    scene.await_done(notification)
    evidence = scene.sent_to_all("FCM answers 503", notification, people, within=120)
    assert evidence.duplicates == 0


@pytest.fixture
def mortal_scene(make_scene: Callable[..., Scene], tmp_path: Any) -> Iterator[Scene]:
    """A scene with an FCM of its own."""
    scene = make_scene()
    with SimulatorProcess(directory=tmp_path / "fcm") as fcm:
        config = scene.service.config
        usual = {"lease": config.lease, "poll": config.poll}
        scene.service = Service(config.mongodb_uri, config.database, fcm, tmp_path, **usual)
        scene.fcm = fcm
        yield scene
        scene.service.__exit__(None, None, None)
        scene.fcm.stop()


@pytest.mark.full
def test_an_fcm_that_is_killed_and_comes_back_gets_everything(mortal_scene: Scene, people: list[str]) -> None:
    scene = mortal_scene
    for _ in range(WORKERS):
        scene.service.start("worker").ready("worker started")
    scene.fcm.behave(latency={"min": 0.1, "max": 0.2})
    notification = scene.accept(groups=["all"])
    until(lambda: scene.fcm.counts()["accepted"] > 0, "some are sent to")
    log = scene.fcm.messages()
    scene.fcm.kill()
    scene.begin()
    await_pauses(scene, 1)
    with pytest.raises(httpx.HTTPError):
        httpx.get(scene.fcm.url)
    scene.fcm = SimulatorProcess(port=scene.fcm.port, directory=scene.fcm.directory)
    scene.await_done(notification)
    evidence = scene.evidence_in(notification, log + scene.fcm.messages())
    assert sorted(evidence.having("sent")) == people
    assert scene.service.failures() == []
    assert pace(scene).failures == 0
