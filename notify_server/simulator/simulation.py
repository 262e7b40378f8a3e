"""The whole state of one simulator, and what it does with one message."""

import asyncio
import time
from contextlib import suppress

from notify_server.simulator import answers, behaviour
from notify_server.simulator.answers import Answer
from notify_server.simulator.behaviour import Behaviour, Rule
from notify_server.simulator.devices import Devices
from notify_server.simulator.faults import Draws
from notify_server.simulator.log import MessageLog
from notify_server.simulator.outcomes import RETRYABLE, Drop, Fault, Outcome
from notify_server.simulator.quota import Quota
from notify_server.simulator.tokens import Tokens
from notify_server.simulator.validation import Reader, Request
from notify_server.simulator.waits import Waits

_ANSWERS = {
    Outcome.UNAVAILABLE: answers.UNAVAILABLE,
    Outcome.INTERNAL: answers.INTERNAL,
    Outcome.QUOTA: answers.QUOTA,
    Outcome.UNREGISTERED: answers.UNREGISTERED,
    Outcome.SENDER_ID_MISMATCH: answers.SENDER_ID_MISMATCH,
    Outcome.INVALID_ARGUMENT: answers.INVALID_TARGET,
    Outcome.UNAUTHENTICATED: answers.UNAUTHENTICATED,
    Outcome.THIRD_PARTY_AUTH: answers.THIRD_PARTY_AUTH,
}


class Simulation:
    """A project's FCM. Belongs to one event loop; nothing in it may be called from another thread."""

    def __init__(self, project: str) -> None:
        self.project = project
        self.behaviour = behaviour.parse({})
        self.tokens = Tokens()
        self.devices = Devices()
        self._reader = Reader()
        self._serial = time.time_ns()
        self._stopping = asyncio.Event()
        self.clear()

    def behave(self, wanted: Behaviour) -> None:
        """Behave like this from the next request on."""
        self.behaviour = wanted
        self.log.keeps_rows = wanted.log

    def clear(self) -> None:
        """Forget every message: the log, the sums, what targets were told and what became of them."""
        self.log = MessageLog(f"projects/{self.project}/messages/0:", keeps_rows=self.behaviour.log)
        self.waits = Waits()
        self._draws = Draws()
        self._quota = Quota()
        self._unregistered: set[str] = set()

    async def stop(self) -> None:
        """Let stalled requests go, and the devices."""
        self._stopping.set()
        await self.devices.close()

    def grant(self, form: bytes) -> Answer:
        """Answer a POST to the token endpoint."""
        fraction, _ = self._draws.fractions(self.behaviour.seed, "/token")
        if fraction < self.behaviour.token_unavailable:
            return answers.UNAVAILABLE
        return self.tokens.grant(form, self.behaviour.token_lifetime)

    async def send(self, body: bytes, authorization: str | None, project: str) -> Answer | Drop:
        """Do with one POST to messages:send what FCM does: an answer, or what is to break instead."""
        request = self._reader.read(body)
        refused = self._refusal(request, authorization, project)
        if refused is not None:
            self._record(request, refused[0])
            return refused[1]
        rule = self.behaviour.rule(request.target)
        if rule.quiet:
            return self._accept(request)
        fault, latency = self._draws.message(rule, self.behaviour.seed, request.target)
        if latency:
            await self._pause(latency)
        return self._accept(request) if fault is None else await self._misbehave(fault, rule, request)

    def _refusal(self, request: Request, authorization: str | None, project: str) -> tuple[Outcome, Answer] | None:
        objection = self.tokens.objection(authorization)
        if objection is not None:
            return Outcome.UNAUTHENTICATED, objection
        if project != self.project:
            return Outcome.PERMISSION_DENIED, answers.denied(project)
        self.waits.check(request.target)
        if self.behaviour.quota_per_minute is not None:
            over = self._over_quota(request, self.behaviour.quota_per_minute)
            if over is not None:
                return Outcome.QUOTA, over
        if request.refusal is not None:
            return Outcome.INVALID_ARGUMENT, request.refusal
        if request.target in self._unregistered:
            return Outcome.UNREGISTERED, answers.UNREGISTERED
        return None

    def _over_quota(self, request: Request, limit: int) -> Answer | None:
        seconds = self._quota.take(limit)
        if seconds is None:
            return None
        return self._later(answers.QUOTA, request, self.behaviour.default.retry_after["quota"] or seconds)

    def _accept(self, request: Request, *, answered: bool = True) -> Answer:
        if request.validate_only:
            self._record(request, Outcome.VALIDATED)
            return Answer(200, b'{"name":"projects/%b/messages/fake_message_id"}' % self.project.encode())
        self._serial += 1
        self._record(request, Outcome.ACCEPTED, serial=self._serial, answered=answered)
        if self.devices:
            self.devices.deliver(request.target, request.content.notification_id)
        return Answer(200, f'{{"name":"{self.log.name(self._serial)}"}}'.encode())

    async def _misbehave(self, fault: Fault, rule: Rule, request: Request) -> Answer | Drop:
        if fault is Fault.DROP_BEFORE:
            self._record(request, Outcome.DROPPED)
            return rule.drop
        if fault is Fault.DROP_AFTER:
            self._accept(request, answered=False)
            return rule.drop
        if fault is Fault.STALL_AFTER:
            answer = self._accept(request, answered=False)
            return await self._stalled(answer, rule)
        if fault is Fault.STALL_BEFORE:
            self._record(request, Outcome.STALLED)
            return await self._stalled(answers.UNAVAILABLE, rule)
        return self._refuse(Outcome[fault.name], rule, request)

    def _refuse(self, outcome: Outcome, rule: Rule, request: Request) -> Answer:
        self._record(request, outcome)
        if outcome is Outcome.UNREGISTERED:
            self._unregistered.add(request.target)
        seconds = rule.retry_after[outcome.word] if outcome.word in RETRYABLE else None
        return self._later(_ANSWERS[outcome], request, seconds)

    def _later(self, answer: Answer, request: Request, seconds: int | None) -> Answer:
        if seconds is not None:
            self.waits.impose(request.target, seconds)
        return answer.after(seconds)

    async def _stalled(self, answer: Answer, rule: Rule) -> Answer | Drop:
        await self._pause(rule.stall_seconds)
        return Drop.CONNECTION if self._stopping.is_set() else answer

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    def _record(self, request: Request, outcome: Outcome, *, serial: int = 0, answered: bool = True) -> None:
        at = time.time_ns() // 1000
        self.log.add(at, request, outcome, serial=serial, answered=answered)
