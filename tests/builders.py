"""What tests are made of: ordinary nouns, of which a test names only what matters to it, and a clock that it moves."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from threading import Barrier, Thread
from typing import Any

from notify_server.domain.audience import Recipient
from notify_server.domain.batch import Batch, BatchKey
from notify_server.domain.device import Device, Platform, Target, TargetType
from notify_server.domain.notification import Audience, Channel, Message, Notification
from notify_server.storage.documents import new_id

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def after(seconds: float) -> datetime:
    """So many seconds after NOON."""
    return NOON + timedelta(seconds=seconds)


@dataclass
class StoppedClock:
    """A clock that stands still until it is moved."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)


def seeded() -> Random:
    """The same random numbers each time."""
    return Random(7)  # noqa: S311 - not a secret


def a_notification(**fields: Any) -> Notification:
    """A notification of NOON that differs from an ordinary one in `fields`."""
    message = Message("Booking confirmed", "Monday 9:00")
    ordinary: dict[str, Any] = {"id": new_id(), "message": message, "audience": Audience(), "created_at": NOON}
    return Notification(**(ordinary | fields))


def a_batch(notification: str | None = None, *users: str, page: str = "", part: str = "", **fields: Any) -> Batch:
    """A free batch that has been due since NOON."""
    key = BatchKey(notification or new_id(), fields.pop("channel", Channel.PUSH), page, part)
    ordinary: dict[str, Any] = {"key": key, "users": users or ("u1",), "due_at": NOON}
    return Batch(**(ordinary | fields))


def a_target(value: str) -> Target:
    """A registration token."""
    return Target(TargetType.TOKEN, value)


def a_device(user: str, device: str = "phone", target: str | None = None, **fields: Any) -> Device:
    """An active device, registered at NOON, whose target is `target` or else `{user}:{device}`."""
    ordinary: dict[str, Any] = {
        "user": user,
        "id": device,
        "platform": Platform.ANDROID,
        "target": a_target(target or f"{user}:{device}"),
        "active": True,
        "registered_at": NOON,
        "confirmed_at": NOON,
    }
    return Device(**(ordinary | fields))


def recipients(*users: str) -> list[Recipient]:
    """Recipients who have muted nothing, reached by name."""
    return [Recipient(user) for user in users]


def at_once(*actions: Callable[[], Any]) -> list[Any]:
    """What `actions` return when each runs in a thread of its own and all start together. Raises what one raises."""
    results: list[Any] = [None] * len(actions)
    errors: list[BaseException] = []
    barrier = Barrier(len(actions))

    def run(position: int) -> None:
        barrier.wait()
        try:
            results[position] = actions[position]()
        except BaseException as error:  # noqa: BLE001 - it is raised again where the test sees it
            errors.append(error)

    threads = [Thread(target=run, args=(position,)) for position in range(len(actions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return results
