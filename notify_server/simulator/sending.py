"""What the simulator does with one message."""

import asyncio
import time
from contextlib import suppress

from notify_server.simulator import answers
from notify_server.simulator.answers import Answer
from notify_server.simulator.behaviour import Rule
from notify_server.simulator.outcomes import RETRYABLE, Drop, Fault, Outcome
from notify_server.simulator.simulation import Simulation
from notify_server.simulator.validation import Request

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


class Sending:
    """messages:send of one simulation."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation

    async def send(self, body: bytes, authorization: str | None, project: str) -> Answer | Drop:
        """Do with one POST what FCM does: give an answer, or say what is to break instead."""
        simulation = self._simulation
        request = simulation.reader.read(body)
        refused = self._refusal(request, authorization, project)
        if refused is not None:
            self._record(request, refused[0])
            return refused[1]
        rule = simulation.behaviour.rule(request.target)
        if rule.quiet:
            return self._accept(request)
        fault, latency = simulation.draws.message(rule, simulation.behaviour.seed, request.target)
        if latency:
            await self._pause(latency)
        return self._accept(request) if fault is None else await self._misbehave(fault, rule, request)

    def _refusal(self, request: Request, authorization: str | None, project: str) -> tuple[Outcome, Answer] | None:
        simulation = self._simulation
        objection = simulation.tokens.objection(authorization)
        if objection is not None:
            return Outcome.UNAUTHENTICATED, objection
        if project != simulation.project:
            return Outcome.PERMISSION_DENIED, answers.denied(project)
        simulation.waits.check(request.target)
        over = self._over_quota(request)
        if over is not None:
            return Outcome.QUOTA, over
        if request.refusal is not None:
            return Outcome.INVALID_ARGUMENT, request.refusal
        if request.target in simulation.unregistered:
            return Outcome.UNREGISTERED, answers.UNREGISTERED
        return None

    def _over_quota(self, request: Request) -> Answer | None:
        behaviour = self._simulation.behaviour
        if behaviour.quota_per_minute is None:
            return None
        left = self._simulation.quota.take(behaviour.quota_per_minute)
        if left is None:
            return None
        return self._later(answers.QUOTA, request, behaviour.default.retry_after["quota"] or left)

    def _accept(self, request: Request, *, answered: bool = True) -> Answer:
        simulation = self._simulation
        if request.validate_only:
            self._record(request, Outcome.VALIDATED, answered=answered)
            return _named(f"projects/{simulation.project}/messages/fake_message_id")
        serial = simulation.next_serial()
        self._record(request, Outcome.ACCEPTED, serial=serial, answered=answered)
        if simulation.devices:
            simulation.devices.deliver(request.target, request.content.notification_id)
        return _named(simulation.log.name(serial))

    async def _misbehave(self, fault: Fault, rule: Rule, request: Request) -> Answer | Drop:
        if fault is Fault.DROP_BEFORE:
            self._record(request, Outcome.DROPPED, answered=False)
            return rule.drop
        if fault is Fault.DROP_AFTER:
            self._accept(request, answered=False)
            return rule.drop
        if fault is Fault.STALL_BEFORE:
            self._record(request, Outcome.STALLED, answered=False)
            return await self._stalled(answers.UNAVAILABLE, rule)
        if fault is Fault.STALL_AFTER:
            return await self._stalled(self._accept(request, answered=False), rule)
        return self._refuse(Outcome[fault.name], rule, request)

    def _refuse(self, outcome: Outcome, rule: Rule, request: Request) -> Answer:
        self._record(request, outcome)
        if outcome is Outcome.UNREGISTERED:
            self._simulation.unregistered.add(request.target)
        seconds = rule.retry_after[outcome.word] if outcome.word in RETRYABLE else None
        return self._later(_ANSWERS[outcome], request, seconds)

    def _later(self, answer: Answer, request: Request, seconds: int | None) -> Answer:
        if seconds is not None and request.target:
            self._simulation.waits.impose(request.target, seconds)
        return answer.after(seconds)

    async def _stalled(self, answer: Answer, rule: Rule) -> Answer | Drop:
        await self._pause(rule.stall_seconds)
        return Drop.CONNECTION if self._simulation.stopping.is_set() else answer

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._simulation.stopping.wait(), seconds)

    def _record(self, request: Request, outcome: Outcome, *, serial: int = 0, answered: bool = True) -> None:
        self._simulation.log.add(time.time_ns() // 1000, request, outcome, serial=serial, answered=answered)


def _named(name: str) -> Answer:
    return Answer(200, f'{{"name":"{name}"}}'.encode())
