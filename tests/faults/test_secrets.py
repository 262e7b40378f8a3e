"""No token, secret, target or message is in any log, at level debug, whatever goes wrong."""

import contextlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import socketio

from notify_server.storage import migrations
from tests.faults.scene import Scene
from tests.fcm_simulator import SimulatorProcess, free_port
from tests.mongod import Mongod
from tests.service import Service, until

JWT_SECRET = "SoughtJwtSecret-of-more-than-32-characters"
TITLE, BODY, KEY, VALUE = "SoughtTitle", "SoughtBody", "soughtKey", "SoughtValue"
LINK, IMAGE, EMAIL = "https://sought.example/SoughtLink", "https://sought.example/SoughtImage", "sought@school.example"
TARGET = "SoughtTarget"
FAULTS = (
    "good",  # no fault
    "unavailable",
    "unregistered",
    "sender_id_mismatch",
    "invalid_argument",
    "third_party_auth",
)
DROP = "drop_after"  # breaks the connection, and so may take the answers of all that are sent beside it
BAD_SERVER_TOKEN = f"nst_0123456789ab_{'SoughtBadServerToken'.ljust(43, 'x')}"
BAD_USER_TOKEN = "eyJhbGciOiJIUzI1NiJ9.SoughtBadUserToken.SoughtSignature"
MESSAGE = {"title": TITLE, "body": BODY, "data": {KEY: VALUE}, "link": LINK, "image": IMAGE}


class Story:
    """A backend and a device against real processes; `sought` is what no log may hold."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        config = scene.service.config
        self.server_token = scene.services.server_tokens.create("backend", [])
        self.realtime = f"http://127.0.0.1:{config.realtime_port}"
        self.backend = httpx.Client(base_url=f"http://127.0.0.1:{config.port}", timeout=60)
        self.backend.headers["authorization"] = f"Bearer {self.server_token}"
        self.sought = ["Sought", "sought", self.server_token.rpartition("_")[2], self.server_token]

    def call(self, method: str, path: str, expected: int, token: str | None = None, **options: Any) -> Any:
        """One request, which must be answered with `expected`; the answer's body."""
        headers = {"authorization": f"Bearer {token}"} if token else {}
        answer = self.backend.request(method, path, headers=headers | options.pop("headers", {}), **options)
        assert answer.status_code == expected, answer.text
        return answer.json() if answer.content else None

    def post(self, **fields: Any) -> str:
        return str(
            self.call("POST", "/v1/notifications", 202, json={"message": MESSAGE, "users": ["u1"], **fields})["id"]
        )

    def settle(self, user: str, faults: tuple[str, ...]) -> str:
        """A user with a device for each of these faults of FCM; their token."""
        self.call("PUT", f"/v1/users/{user}", 201, json={"email": f"{user}.{EMAIL}"})
        minted = self.call("POST", f"/v1/users/{user}/tokens", 201)["token"]
        self.sought += [minted, *minted.split(".")[1:]]
        for fault in faults:
            body = {"platform": "android", "token": f"{fault}-{TARGET}"}
            self.call("PUT", f"/v1/me/devices/{fault}", 201, minted, json=body)
        return str(minted)

    def meet_every_fault(self) -> str:
        """Everything that FCM can answer, and then a connection that it breaks; the token of a user who has it all."""
        token = self.settle("u1", FAULTS)
        notification = self.post()
        until(lambda: self.scene.count(notification, status="sent") == 1, "it is sent")
        assert self.scene.fcm.counts()["requests"] >= len(FAULTS)
        self.settle("u2", (DROP,))
        self.post(users=["u2"])
        until(lambda: self.scene.fcm.messages(target_prefix=DROP), "a connection breaks")
        return token

    def open(self, token: str) -> None:
        """An app opens a socket, gets what it missed and reports a receipt; an app with a bad token is refused."""
        app = socketio.Client(reconnection=False)
        received: list[Any] = []
        app.on("notification:new", lambda *event: received.append(event))
        app.connect(self.realtime, auth={"token": token}, transports=["websocket"], wait_timeout=20)
        notification = self.post(channels=["realtime", "push"])
        until(lambda: received, "the app is told")
        assert app.call("receipt", {"notification_id": notification, "status": "read"}, timeout=20)["ok"]
        assert not app.call("receipt", {"notification_id": "SoughtNotification", "status": "SoughtStatus"}, timeout=20)[
            "ok"
        ]
        app.disconnect()
        app.shutdown()
        for auth in ({"token": BAD_USER_TOKEN}, {"token": BAD_SERVER_TOKEN}):
            refused = socketio.Client(reconnection=False)
            with pytest.raises(socketio.exceptions.ConnectionError):
                refused.connect(self.realtime, auth=auth, transports=["websocket"], wait_timeout=20)
            refused.shutdown()

    def be_refused(self, token: str) -> None:
        """Everything that a caller can do wrong."""
        for bad in (BAD_SERVER_TOKEN, BAD_USER_TOKEN, "SoughtNoToken"):
            self.call("POST", "/v1/notifications", 401, bad, json={"message": MESSAGE, "users": ["u1"]})
            self.call("GET", "/v1/me/notifications", 401, bad)
        self.call("GET", "/v1/notifications", 401, token)
        accept = ("POST", "/v1/notifications")
        declared = {"content-type": "application/json"}
        self.call(*accept, 400, content=b'{"message": {"title": "SoughtTitle"', headers=declared)
        self.call(*accept, 400, content=b'{"message": "Sought\xff"}', headers=declared)
        self.call(*accept, 415, content=BODY, headers={"content-type": "text/plain"})
        self.call(
            *accept, 422, json={"message": MESSAGE | {"title": TITLE * 200}, "users": ["u1"], "SoughtField": VALUE}
        )
        self.call("PUT", "/v1/me/devices/bad", 422, token, json={"platform": VALUE, "token": f"{TARGET}\n"})
        self.call("GET", "/v1/me/notifications", 422, token, params={"access_token": token, "SoughtQuery": VALUE})
        self.call("GET", "/v1/users/nobody", 404, params={"token": token})
        self.call("GET", f"/{token}", 404)
        self.call("GET", "/v1/me/notifications", 400, token, params={"cursor": BODY * 1000})

    def fail(self, token: str) -> None:
        """The database refuses what is stored, which nothing foresees, and quotes it: 500."""
        for checked, *request in (
            (
                {"notifications": "message.title"},
                "POST",
                "/v1/notifications",
                None,
                {"message": MESSAGE, "users": ["u1"]},
            ),
            (
                {"devices": "target"},
                "PUT",
                "/v1/me/devices/more",
                token,
                {"platform": "ios", "token": f"more-{TARGET}"},
            ),
            ({"users": "email"}, "PUT", "/v1/users/u3", None, {"email": EMAIL}),
        ):
            method, path, bearer, body = request
            [(collection, field)] = checked.items()
            self.scene.database.command("collMod", collection, validator={field: {"$in": ["something else"]}})
            self.call(method, path, 500, bearer, json=body)
            self.scene.database.command("collMod", collection, validator={})

    def lose_the_database(self, mongod: Mongod, token: str) -> None:
        """While it is away, everyone is told to try again."""
        mongod.kill()
        body, device = {"message": MESSAGE, "users": ["u1"]}, {"platform": "android", "token": f"good-{TARGET}"}
        with ThreadPoolExecutor() as side_by_side:
            posted = side_by_side.submit(self.call, "POST", "/v1/notifications", 503, json=body)
            put = side_by_side.submit(self.call, "PUT", "/v1/me/devices/good", 503, token, json=device)
        assert "The database is away" in posted.result()["detail"] + put.result()["detail"]
        away = [process for process in self.scene.service.processes if process.command in {"worker", "scheduler"}]
        until(lambda: all("database unavailable" in process.events() for process in away), "all notice")


@pytest.fixture
def story(mongod: Mongod, tmp_path: Path) -> Iterator[Story]:
    with SimulatorProcess(directory=tmp_path / "fcm") as fcm:
        fcm.behave(prefixes={f"{fault}-": {fault: 1.0} for fault in (*FAULTS[1:], DROP)})
        settings = {"lease": 2.0, "poll": 0.2, "scheduler_interval": 0.2, "realtime_port": free_port()}
        service = Service(mongod.uri, "secrets", fcm, tmp_path, web_processes=1, rate_refused=0.0, **settings)
        service.config = replace(service.config, log_level="debug", jwt_secret=JWT_SECRET)
        scene = Scene(service, fcm)
        migrations.run(scene.database)
        made = Story(scene)
        try:
            yield made
        finally:
            made.backend.close()
            scene.service.__exit__(None, None, None)
            scene.database.client.close()


def test_whatever_goes_wrong_no_log_holds_a_secret_a_token_a_target_or_a_message(story, mongod):
    service = story.scene.service
    for command in ("worker", "scheduler"):
        service.start(command).ready(f"{command} started")
    for command in ("web", "realtime"):
        service.start(command)
    until(lambda: ready(story.backend), "the API is ready")
    until(lambda: "Uvicorn running" in service.processes[3].output, "realtime is ready")
    token = story.meet_every_fault()
    story.open(token)
    story.be_refused(token)
    story.fail(token)
    story.lose_the_database(mongod, token)

    logs = {process.command: process.output for process in service.processes} | {"simulator": story.scene.fcm.output}
    assert logs["web"].count("Traceback") == 3
    assert all(logs[name] for name in ("web", "worker", "scheduler", "realtime"))
    assert all('"level": "debug"' in logs[name] for name in ("web", "worker", "scheduler", "realtime"))
    leaks = [
        (name, line) for name, log in logs.items() for line in log.splitlines() if any(s in line for s in story.sought)
    ]
    assert leaks == []


def ready(client: httpx.Client) -> bool:
    with contextlib.suppress(httpx.TransportError):
        return client.get("/readyz").is_success
    return False
