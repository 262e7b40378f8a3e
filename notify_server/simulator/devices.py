"""Simulated devices: each reports receipts for the messages that the simulator accepts for its target."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
import structlog
from marshmallow import RAISE, Schema, ValidationError, fields
from marshmallow.validate import URL, Length, Range

from notify_server.errors import InvalidInput
from notify_server.simulator.problems import flatten

TRIES = 5
CONCURRENT = 32  # reports under way at once
TIMEOUT = 10.0  # seconds
FIRST_BACKOFF = 0.4  # seconds, doubled with each further try
_TRY_AGAIN = frozenset({429, 500, 502, 503, 504})
_log = structlog.get_logger()


class _DeviceSchema(Schema):
    class Meta:
        """Unknown keys are errors."""

        unknown = RAISE

    target = fields.String(required=True, validate=Length(min=1))
    api = fields.String(required=True, validate=URL(schemes={"http", "https"}, require_tld=False))
    token = fields.String(required=True, validate=Length(min=1))
    device_id = fields.String(required=True, validate=Length(min=1))
    received_after = fields.Float(load_default=None, allow_none=True, validate=Range(0, 86_400))
    read_after = fields.Float(load_default=None, allow_none=True, validate=Range(0, 86_400))


@dataclass(slots=True)
class Device:
    """One device. `received_after` and `read_after` are seconds after the accept; None: it never reports that."""

    target: str
    api: str
    token: str = field(repr=False)
    device_id: str
    received_after: float | None
    read_after: float | None
    reported: int = 0
    failed: int = 0


def parse(content: Any) -> list[Device]:
    """Read the list of PUT /_simulator/devices. Raises InvalidInput with each wrong field by its path."""
    try:
        found: list[dict[str, Any]] = _DeviceSchema(many=True).load(content)
    except ValidationError as error:
        raise InvalidInput(flatten(error.messages)) from None
    return [Device(**{**device, "api": device["api"].rstrip("/")}) for device in found]


class Devices:
    """The devices that exist now. Falsy when there are none, so that the way of a message stays short."""

    def __init__(self) -> None:
        self._by_target: dict[str, Device] = {}
        self._reports: set[asyncio.Task[None]] = set()
        self._places = asyncio.Semaphore(CONCURRENT)
        self._client: httpx.AsyncClient | None = None

    def __bool__(self) -> bool:
        return bool(self._by_target)

    def replace(self, devices: Sequence[Device]) -> None:
        """These and no others exist from now on; reports under way go on."""
        self._by_target = {device.target: device for device in devices}

    def listed(self) -> list[dict[str, Any]]:
        """What PUT was given, without the tokens, and how many reports were taken and how many failed for good."""
        shown = ("target", "api", "device_id", "received_after", "read_after", "reported", "failed")
        return [{name: getattr(device, name) for name in shown} for device in self._by_target.values()]

    def deliver(self, target: str, notification_id: str | None) -> None:
        """A message for `target` was accepted: its device, if there is one, reports in due time."""
        device = self._by_target.get(target)
        if device is None or notification_id is None:
            return
        for status, after in (("received", device.received_after), ("read", device.read_after)):
            if after is not None:
                task = asyncio.create_task(self._report(device, notification_id, status, after))
                self._reports.add(task)
                task.add_done_callback(self._reports.discard)

    async def close(self) -> None:
        """Give up the reports that are not sent yet."""
        for task in self._reports:
            task.cancel()
        await asyncio.gather(*self._reports, return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()

    async def _report(self, device: Device, notification_id: str, status: str, after: float) -> None:
        await asyncio.sleep(after)
        receipt = {
            "notification_id": notification_id,
            "status": status,
            "at": datetime.now(UTC).isoformat(),
            "device_id": device.device_id,
        }
        if await self._told(device, receipt):
            device.reported += 1
        else:
            device.failed += 1

    async def _told(self, device: Device, receipt: dict[str, str]) -> bool:
        for attempt in range(TRIES):
            if attempt:
                await asyncio.sleep(FIRST_BACKOFF * 2 ** (attempt - 1))
            try:
                answer = await self._post(device, receipt)
            except httpx.TransportError as error:
                _log.info("receipt_not_delivered", device_id=device.device_id, error=type(error).__name__)
                continue
            if answer.status_code not in _TRY_AGAIN:
                return _taken(device, answer)
        _log.warning("receipt_given_up", device_id=device.device_id, tries=TRIES)
        return False

    async def _post(self, device: Device, receipt: dict[str, str]) -> httpx.Response:
        self._client = self._client or httpx.AsyncClient(timeout=TIMEOUT)
        headers = {"authorization": f"Bearer {device.token}"}
        async with self._places:
            return await self._client.post(
                f"{device.api}/v1/me/receipts", json={"receipts": [receipt]}, headers=headers
            )


def _taken(device: Device, answer: httpx.Response) -> bool:
    try:
        rejected = answer.json()["rejected"]
    except (ValueError, KeyError, TypeError):
        rejected = None
    if answer.is_success and rejected == []:
        return True
    _log.warning("receipt_refused", device_id=device.device_id, status=answer.status_code, rejected=rejected)
    return False
