"""The mail service as it is used: paced, several mails at a time, and each answer written down before the next mail.

What was said of a mail is stored durably before its connection takes another one, so that a process that dies leaves no
more mails in doubt than it has connections. Answers of several connections are written together.
"""

from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Any

import structlog

from notify_server import failpoints, metrics
from notify_server.domain.mail import Answer, MailTransport, mail_id, message_id
from notify_server.domain.mailing import cost, status
from notify_server.domain.notification import Channel
from notify_server.domain.outcome import Kind, Outcome
from notify_server.domain.registry import Reason
from notify_server.services.governor import Governor
from notify_server.services.group_commit import GroupCommit
from notify_server.services.mail_seals import Seals
from notify_server.services.mail_sorting import Parcel, Sheet
from notify_server.storage.mails import Mails, Recorded

log = structlog.get_logger()

_UNSEALABLE = Answer(Outcome(Kind.REJECTED, Reason.MAIL_REJECTED), "a header that no mail may have")
_FAULTY = Answer(Outcome(Kind.RETRY, Reason.UNAVAILABLE), "our own error: it is in the log")
_EVERYBODYS = {Reason.CREDENTIAL_REFUSED, Reason.SENDER_REFUSED, Reason.TLS_FAILED}  # every mail would get this answer
_PATIENCE = 10  # mails in a row for which the service may be unavailable before the others are not tried
_ALARMS = {
    Reason.CREDENTIAL_REFUSED: "mail_credential_refused",
    Reason.SENDER_REFUSED: "mail_sender_refused",
    Reason.TLS_FAILED: "mail_tls_failed",
    Reason.UNAVAILABLE: "mail_service_unavailable",
    Reason.CONNECTION_LOST: "mail_connection_lost",
}


Waiting = deque[tuple[Parcel, Sheet]]


@dataclass(frozen=True, slots=True)
class Post:
    """What is sent through what, and what says between two mails that no further one may be sent so."""

    transport: MailTransport
    seals: Seals
    over: Callable[[], bool]


@dataclass(slots=True)
class _Round:
    """Mails that are sent together; once it is `over`, none of them is sent that is not on its way yet.

    It ends where something could not be written down, as what follows would be sent again, and where all would get the
    same answer.
    """

    over: bool = False
    unavailable: int = 0

    def heed(self, answer: Answer) -> None:
        reason = answer.outcome.reason
        self.unavailable = self.unavailable + 1 if reason is Reason.UNAVAILABLE else 0
        self.over = self.over or reason in _EVERYBODYS or self.unavailable >= _PATIENCE


class MailOutlet:
    """Where mails leave. Safe for many threads."""

    def __init__(self, mails: Mails, governor: Governor, connections: int, clock: Callable[[], datetime]) -> None:
        self._governor = governor
        self._clock = clock
        self._connections = connections
        self._pool = ThreadPoolExecutor(connections, thread_name_prefix="mail")
        self._commit: GroupCommit[Recorded, bool] = GroupCommit(mails.record)
        self._mails = mails

    @property
    def paused(self) -> bool:
        """Whether nothing may be sent for now."""
        return self._governor.paused

    def probe(self) -> str | None:
        """After a pause: the name of a probe, for which a few mails are to be sent; None: no need, or no right."""
        return self._governor.probe()

    def conclude(self, probe: str) -> None:
        """A probe is over. Where it asked nobody, the next one need not wait."""
        self._governor.observe([], probe)

    def permit(self, mails: int, *, urgent: bool) -> bool:
        """Wait until so many may be sent; False: not now. What is not sent then is to be refunded."""
        return self._governor.take(mails, urgent=urgent)

    def refund(self, mails: int) -> None:
        """So many of those permitted are not sent."""
        if mails:
            self._governor.refund(mails)

    def send(self, parcels: Sequence[Parcel], post: Post, probe: str | None) -> None:
        """Send every sheet, all connections at a time, and add what was said to the answers of its parcel.

        Who has no answer afterwards was not sent to.
        """
        waiting = Waiting((parcel, sheet) for parcel in parcels for sheet in parcel.sheets)
        began, together = monotonic(), _Round()
        lanes = range(min(self._connections, len(waiting)))
        futures = [self._pool.submit(self._send_each, waiting, post, together) for _ in lanes]
        wait(futures)  # all of them, also where one failed: none is to be on its way when the lease is given up
        answers = [answer for future in futures for answer in future.result()]
        metrics.SEND_SECONDS.labels(Channel.EMAIL.value).observe(monotonic() - began)
        self._tell(answers, probe)

    def refuse(self, parcels: Sequence[Parcel], answer: Answer, probe: str | None) -> None:
        """Give every sheet the same answer, without asking a mail service."""
        for parcel in parcels:
            parcel.fresh = {sheet.user: answer for sheet in parcel.sheets}
            parcel.answers.update(parcel.fresh)
        self.record(parcels, self._clock())
        self._tell([answer for parcel in parcels for _ in parcel.sheets], probe)

    def record(self, parcels: Sequence[Parcel], now: datetime) -> None:
        """Write down the answers that nobody was asked for."""
        fresh = [
            _recorded(mail_id(parcel.notification.id, user), answer, now, {}, None)
            for parcel in parcels
            for user, answer in parcel.fresh.items()
        ]
        if fresh:
            self._mails.record(fresh)

    def close(self) -> None:
        """End the threads, when no mail is on its way any more."""
        self._pool.shutdown()

    def _send_each(self, waiting: Waiting, post: Post, together: _Round) -> Sequence[Answer]:
        """Send what waits, one mail after the other, beside others who do. What was said of those that were sent."""
        answers: list[Answer] = []
        while found := _next(waiting):
            parcel, sheet = found
            answer = self._send(parcel, sheet, post, together)
            if answer is None:
                break
            parcel.answers[sheet.user] = answer
            answers.append(answer)
        return answers

    def _send(self, parcel: Parcel, sheet: Sheet, post: Post, together: _Round) -> Answer | None:
        """Send one mail and write down what came of it. None: nothing was done, as it may not be sent any more.

        Raises where that could not be written down; of those that have not begun by then none is sent.
        """
        try:
            if together.over or post.over():
                return None
            failpoints.passes("mailing.mail")
            answer = _answered(post, parcel, sheet)
            failpoints.passes("mailing.answered")
            self._commit.submit(_said(sheet, answer, post, self._clock()))
            failpoints.passes("mailing.recorded")
        except BaseException:
            together.over = True
            raise
        together.heed(answer)
        return answer

    def _tell(self, answers: Sequence[Answer], probe: str | None) -> None:
        """Count the answers, say aloud what a person has to mend, and pace by them what follows."""
        if not answers:
            return
        counts = Counter((answer.outcome.kind.value, answer.outcome.reason or "") for answer in answers)
        for labels, count in counts.items():
            metrics.OUTCOMES.labels(Channel.EMAIL.value, *labels).inc(count)
        for reason, event in _ALARMS.items():
            if met := [answer.detail for answer in answers if answer.outcome.reason is reason]:
                log.error(event, mails=len(met), detail=met[0])
        self._governor.observe([answer.outcome for answer in answers], probe)


def _next(waiting: Waiting) -> tuple[Parcel, Sheet] | None:
    try:
        return waiting.popleft()
    except IndexError:
        return None


def _answered(post: Post, parcel: Parcel, sheet: Sheet) -> Answer:
    """What the service says; a fault of ours keeps no batch from its end."""
    try:
        sealed = post.seals.of(parcel.notification, sheet)
    except ValueError:
        log.error("mail refused by the composer", notification_id=parcel.notification.id)
        return _UNSEALABLE
    try:
        return post.transport.send(sheet.letter, sealed)
    except Exception as error:  # noqa: BLE001 - whatever a library may raise
        log.error("mail not sent: unforeseen", problem=type(error).__name__)
        return _FAULTY


def _said(sheet: Sheet, answer: Answer, post: Post, now: datetime) -> Recorded:
    changes = {
        "address": sheet.letter.to,
        "subject": sheet.subject,
        "content": sheet.content,
        "message_id": message_id(sheet.letter, post.transport.sender),
    }
    return _recorded(sheet.letter.id, answer, now, changes, post.transport.service.value)


def _recorded(mail: str, answer: Answer, now: datetime, changes: Mapping[str, Any], service: str | None) -> Recorded:
    outcome = answer.outcome
    said: dict[str, Any] = {
        "reason": outcome.reason and outcome.reason.value,
        "detail": answer.detail,
        "service": service,
        **changes,
    }
    if answer.provider_id:
        said["provider_id"] = answer.provider_id
    if outcome.reason is Reason.CONNECTION_LOST:
        said["doubtful"] = True
    return Recorded(mail, status(outcome), now, cost(outcome), said)
