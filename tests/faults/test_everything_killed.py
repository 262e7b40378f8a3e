"""Invariant 1: what was answered with 202 survives the death of everything at once."""

from collections.abc import Iterator

import httpx
import pytest

from notify_server.storage import migrations
from tests.faults.scene import SLOW, WINDOW, Scene, names, populate, scene_at
from tests.service import Process, until

PEOPLE = names(4 * WINDOW)


@pytest.fixture
def scene(mongod, fcm, tmp_path, rows) -> Iterator[Scene]:
    scene = scene_at(mongod.uri, "faults", fcm, tmp_path, web_processes=1)
    scene.rows = rows
    migrations.run(scene.database)
    populate(scene.database, PEOPLE, {"all": len(PEOPLE)})
    yield scene
    scene.close()


def answering(web: Process, api: httpx.Client) -> bool:
    assert web.alive, web.output
    try:
        return api.get("/readyz").is_success
    except httpx.TransportError:
        return False


@pytest.mark.parametrize("dies", ["after a 202", pytest.param("in mid-dispatch", marks=pytest.mark.full)])
def test_a_notification_answered_with_202_is_delivered_though_everything_dies_at_once(scene, mongod, dies):
    token = scene.services.server_tokens.create("tests", [])
    url = f"http://127.0.0.1:{scene.service.config.port}"
    post = {"message": {"title": "Hello"}, "groups": ["all"]}
    scene.fcm.behave(latency=SLOW)
    processes = [scene.service.start(command) for command in ("web", "worker", "scheduler")]
    with httpx.Client(base_url=url, headers={"authorization": f"Bearer {token}", "idempotency-key": "once"}) as api:
        until(lambda: answering(processes[0], api), "the API answers")
        accepted = api.post("/v1/notifications", json=post)
        assert accepted.status_code == 202
        until(lambda: dies == "after a 202" or scene.fcm.counts()["accepted"] > 0, "some are sent to")
        for process in processes:
            process.kill()
        mongod.kill()
        scene.begin()
        mongod.start()
        for process in processes:
            process.start()
        notification = accepted.json()["id"]
        scene.await_done(notification)
        until(lambda: answering(processes[0], api), "the API answers again")
        assert api.post("/v1/notifications", json=post).json()["id"] == notification
    evidence = scene.sent_to_all(f"everything killed {dies}", notification, PEOPLE)
    assert scene.database.notifications.count_documents({}) == 1
    assert evidence.duplicates <= WINDOW
