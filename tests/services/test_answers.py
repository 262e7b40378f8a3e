from collections.abc import Sequence

from prometheus_client import REGISTRY

from notify_server.domain.outcome import ACCEPTED, Kind, Outcome
from notify_server.domain.push import PushTransport, Sending
from notify_server.domain.registry import Reason
from notify_server.services.answers import Answers
from tests.builders import NOON, a_notification, a_target
from tests.fcm_simulator import SimulatorProcess
from tests.services.hesitant import Hesitant

TOO_OFTEN = Outcome(Kind.RETRY, Reason.DEVICE_RATE, 7.0)


class Heard(list[Sequence[Outcome]]):
    """What was observed, a list each time."""


def a_sending(transport: PushTransport, *parts: str) -> Sending:
    """A message to each letter of each part, of which the capital ones are late."""
    hesitant = Hesitant(transport, str.isupper)
    encoded = hesitant.encode(a_notification(), NOON)
    return hesitant.begin([(encoded, [a_target(letter) for letter in part]) for part in parts])


def answers_of(sending: Sending, parts: list[int], waits: list[list[float | None]], heard: Heard) -> Answers:
    """Begun three seconds ago."""
    return Answers(sending, parts=parts, waits=waits, observe=heard.append, began=0.0, ticks=lambda: 3.0)


def sends_measured() -> float:
    """How many sends were measured to take between 2.5 and 5 seconds."""

    def below(seconds: str) -> float:
        labels = {"channel": "push", "le": seconds}
        return REGISTRY.get_sample_value("notify_batch_send_seconds_bucket", labels) or 0.0

    return below("5.0") - below("2.5")


def test_each_answer_is_at_the_place_of_its_device(transport: PushTransport, fcm: SimulatorProcess) -> None:
    fcm.behave(prefixes={"d": {"unregistered": 1}})
    sending = a_sending(transport, "ab", "", "Cd", "e")
    waits: list[list[float | None]] = [[None, 7.0, None], [], [None, None, None, 7.0]]
    heard = Heard()
    answers = answers_of(sending, [1, 1, 2], waits, heard)
    dead = Outcome(Kind.TARGET_DEAD, Reason.UNREGISTERED)
    assert answers.most() == [[ACCEPTED, TOO_OFTEN, ACCEPTED], [], [None, dead, ACCEPTED, TOO_OFTEN]]
    assert answers.all() == [[ACCEPTED, TOO_OFTEN, ACCEPTED], [], [ACCEPTED, dead, ACCEPTED, TOO_OFTEN]]
    assert heard == [[ACCEPTED, ACCEPTED, dead, ACCEPTED]]


def test_where_all_are_late_they_are_observed_when_they_are_there(
    transport: PushTransport, fcm: SimulatorProcess
) -> None:
    heard = Heard()
    answers = answers_of(a_sending(transport, "AB"), [1], [[None, None]], heard)
    answers.most()
    assert heard == []
    answers.all()
    assert heard == [[ACCEPTED, ACCEPTED]]
    assert len(fcm.messages()) == 2


def test_before_anything_is_accepted_nothing_is_observed(transport: PushTransport, fcm: SimulatorProcess) -> None:
    """A channel that sheds load quickly and accepts slowly is not broken."""
    fcm.behave(prefixes={"u": {"unavailable": 1}})
    heard = Heard()
    answers = answers_of(a_sending(transport, "uB"), [1], [[None] * 2], heard)
    busy = Outcome(Kind.RETRY, Reason.UNAVAILABLE)
    assert (answers.most(), answers.complete, heard) == ([[busy, None]], False, [])
    assert answers.late() == ([[busy, ACCEPTED]], [busy, ACCEPTED])
    assert (answers.complete, heard) == (True, [])
    assert answers.late()[1] == ()


def test_a_send_is_measured_once_when_it_is_over(transport: PushTransport, fcm: SimulatorProcess) -> None:
    before = sends_measured()
    answers = answers_of(a_sending(transport, "aB"), [1], [[None, None]], Heard())
    answers.most()
    assert sends_measured() == before
    answers.all()
    answers.all()
    assert sends_measured() == before + 1
    assert len(fcm.messages()) == 2


def test_of_nothing_sent_it_is_observed_that_it_was_nothing(transport: PushTransport, fcm: SimulatorProcess) -> None:
    heard = Heard()
    before = sends_measured()
    answers = answers_of(a_sending(transport, ""), [1], [[7.0]], heard)
    assert answers.most() == [[TOO_OFTEN]]
    assert (heard, sends_measured()) == ([[]], before)
    assert fcm.counts()["requests"] == 0
