"""What of a client's frames reaches Socket.IO's server, and what is answered before that or ends the connection."""

import json
from dataclasses import dataclass

from notify_server import metrics
from notify_server.gateway.frames import Frame, Kind, read
from notify_server.gateway.limits import End
from notify_server.gateway.throttle import Throttle, Verdict

_TOO_MANY = json.dumps([{"ok": False, "error": "too many events: wait a second"}])
_NO_NAMESPACE = json.dumps({"message": "There is no namespace but /."})


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether a frame `passes`; the Socket.IO packet that answers it, and why it ends the connection, where so."""

    passes: bool = False
    answer: str | None = None
    end: End | None = None


_PASSES, _DROPPED = Judgement(passes=True), Judgement()


@dataclass(slots=True)
class Intake:
    """Judges what one client sends, by its `throttle`."""

    throttle: Throttle

    def judge(self, text: str | None) -> Judgement:
        """What becomes of a frame; None stands for a binary one."""
        verdict, frame = self.throttle.take(), read(text)
        if frame.kind is Kind.MALFORMED:
            return Judgement(end=End.MALFORMED)
        if verdict is Verdict.END:
            return Judgement(end=End.TOO_MANY_EVENTS)
        if verdict is Verdict.REFUSE and frame.kind in {Kind.RECEIPT, Kind.OTHER}:
            metrics.THROTTLED.inc()
            return _DROPPED if frame.ack is None else Judgement(answer=f"3{frame.ack}{_TOO_MANY}")
        if frame.namespace != "/":
            return _elsewhere(frame)
        return _DROPPED if frame.kind is Kind.OTHER else _PASSES


def _elsewhere(frame: Frame) -> Judgement:
    if frame.kind is Kind.CONNECT:
        return Judgement(answer=f"4{frame.namespace},{_NO_NAMESPACE}")
    return _DROPPED
