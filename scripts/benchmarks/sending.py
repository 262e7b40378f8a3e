"""What the benchmarks of the channel send, and the environment they send it in."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from notify_server.domain.device import Target, TargetType
from notify_server.domain.notification import Audience, Message, Notification
from notify_server.domain.outcome import ACCEPTED
from notify_server.domain.push import Encoded, PushTransport

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
NOTIFICATION = Notification(
    id="0123456789abcdef01234567",
    message=Message("Booking confirmed", "Algebra 101, Monday 9:00", data={"booking_id": "123"}),
    audience=Audience(everyone=True),
    created_at=NOW,
)
_BATCH = 500


def batches(messages: int) -> list[list[Target]]:
    """That many targets in batches of 500, each as long as one of FCM's own registration tokens."""
    return [
        [Target(TargetType.TOKEN, f"{number:022d}:APA91b{'x' * 134}") for number in range(start, start + _BATCH)]
        for start in range(0, messages, _BATCH)
    ]


def send(transport: PushTransport, encoded: Encoded, targets: Sequence[Sequence[Target]]) -> None:
    """Send each batch in turn. Raises RuntimeError unless all is accepted."""
    for batch in targets:
        (outcomes,) = transport.begin([(encoded, batch)]).all()
        if outcomes.count(ACCEPTED) != len(batch):
            raise RuntimeError(f"not all were accepted: {set(outcomes)}")


@contextmanager
def environment(variables: Mapping[str, str]) -> Iterator[None]:
    """These environment variables for a while."""
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
