"""What `scripts/run` shows: one notification, from the backend's POST until its devices report it read.

It plays both outsides: the backend, with a server token, and the apps, which the FCM simulator acts out.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import Any

import click
import httpx

from notify_server.bootstrap import build_services
from notify_server.config import CATCHER_HOST, FCM_ENDPOINT, Config
from notify_server.domain.registry import Status
from notify_server.storage.database import connect

_NAME = "demonstration"
_DEVICE = "demo-phone"
_RECEIVED_AFTER, _READ_AFTER = 0.6, 1.4  # seconds from FCM's accept to the app's receipts
_WITHIN = 30.0  # seconds for all of it
_PATH = (Status.PENDING, Status.SENT, Status.RECEIVED, Status.READ)


def run(config: Config, payload: Path) -> int:
    """Send `payload` (JSON, naming users and groups) and print each state as it is reached.

    Returns 0 when every recipient went from pending to read, else 1.
    """
    if config.fcm_endpoint == FCM_ENDPOINT:
        click.echo("FCM is configured, so nothing is sent by itself: the demonstration needs the simulator.")
        return 1
    token = _server_token(config)
    with _backend(config, token) as backend:
        notification = json.loads(payload.read_text())
        users = _people(backend, notification)
        _give_devices(config, backend, users)
        click.echo(f"\nPOST {backend.base_url}/v1/notifications  {payload.name} → {len(users)} users")
        answer = _checked(backend.post("/v1/notifications", json=notification))
        click.echo(f"202 Accepted  {answer['id']}\n")
        reached = _watch(backend, answer["id"], len(users))
    _explain(config, token)
    return 0 if reached else 1


def _server_token(config: Config) -> str:
    """A token for this run; those of earlier runs end."""
    database = connect(config)
    with database.client:
        tokens = build_services(config, database).server_tokens
        for client in tokens.listed():
            if client["name"] == _NAME and client["revoked_at"] is None:
                tokens.revoke(client["_id"])
        return tokens.create(_NAME, ())


@contextmanager
def _backend(config: Config, token: str) -> Iterator[httpx.Client]:
    url = f"http://{config.host}:{config.port}"
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=10) as client:
        yield client


def _people(backend: httpx.Client, notification: dict[str, Any]) -> list[str]:
    """Fill the groups that the payload names; returns everyone it addresses."""
    users = set(notification.get("users", []))
    for group in notification.get("groups", []):
        members = [*sorted(users)[:1], f"{group}-member"]  # one user is reached twice, and gets it once
        _checked(backend.put(f"/v1/groups/{group}", json={"members": members}))
        users.update(members)
    return sorted(users)


def _give_devices(config: Config, backend: httpx.Client, users: list[str]) -> None:
    """Register a phone for each user, and have the simulator report receipts for it."""
    phones = []
    for user in users:
        token = _checked(backend.post(f"/v1/users/{user}/tokens"))["token"]
        target = f"{user}-{token_hex(8)}"
        registration = {"platform": "android", "token": target, "app_version": "1.0"}
        headers = {"Authorization": f"Bearer {token}"}
        _checked(backend.put(f"/v1/me/devices/{_DEVICE}", json=registration, headers=headers))
        phones.append(
            {
                "target": target,
                "api": str(backend.base_url),
                "token": token,
                "device_id": _DEVICE,
                "received_after": _RECEIVED_AFTER,
                "read_after": _READ_AFTER,
            }
        )
    simulator = f"{config.fcm_endpoint}/_simulator/devices"
    _checked(httpx.put(simulator, json=phones, verify=config.fcm_ca_file))


def _watch(backend: httpx.Client, notification: str, recipients: int) -> bool:
    """Print every line of history as it appears; True once everyone has gone through all states."""
    shown: dict[str, int] = {}
    until = time.monotonic() + _WITHIN
    while time.monotonic() < until:
        entries = _checked(backend.get(f"/v1/notifications/{notification}/registry"))["entries"]
        for entry in entries:
            _tell(entry, shown.get(entry["user_id"], 0))
            shown[entry["user_id"]] = len(entry["history"])
        if sum(_complete(entry) for entry in entries) == recipients:
            return True
        time.sleep(0.05)
    click.echo(f"Not everyone had read it after {_WITHIN:.0f} seconds.", err=True)
    return False


def _tell(entry: dict[str, Any], already: int) -> None:
    for line in entry["history"][already:]:
        click.echo(f"  {line['at'][11:23]}  {entry['user_id']:<24} {line['status']:<9} {line['detail'] or ''}")


def _complete(entry: dict[str, Any]) -> bool:
    passed = {line["status"] for line in entry["history"]}
    return entry["status"] == Status.READ and passed.issuperset(_PATH)


def _explain(config: Config, token: str) -> None:
    url = f"http://{config.host}:{config.port}"
    say: Callable[[str], None] = click.echo
    say(f"\nAPI        {url}/docs   {url}/metrics")
    if config.console:
        say(f"Console    {url}/console")
    if config.is_local:
        say(f"Demo       {url}/demo")
    say(f"Realtime   http://{config.host}:{config.realtime_port}")
    say(f"Simulator  {config.fcm_endpoint}/_simulator/counts")
    if config.mail_catcher:
        say(f"Mails      http://{CATCHER_HOST}:{config.catcher_port}/mails")
    say(f"Token      {token}")
    say(f"Try        curl -H 'Authorization: Bearer {token}' {url}/v1/notifications\n")


def _checked(answer: httpx.Response) -> Any:
    """The JSON of a successful answer. Raises httpx.HTTPStatusError."""
    return answer.raise_for_status().json()
