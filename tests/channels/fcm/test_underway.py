"""A few answers that FCM takes its time with are not waited for, and are there in the end."""

from threading import Event

from notify_server.domain.outcome import ACCEPTED, Kind, Outcome
from notify_server.domain.push import Sending
from notify_server.domain.registry import Reason
from tests.channels.fcm.conftest import NOW, Opener, a_notification, tokens
from tests.fcm_simulator import SimulatorProcess

SLOW = {"slow": {"stall_after": 1, "stall_seconds": 2}}
DEAD = Outcome(Kind.TARGET_DEAD, Reason.UNREGISTERED)
REFUSED = Outcome(Kind.RETRY, Reason.CREDENTIAL_REFUSED)
QUICK = [f"quick-{number}" for number in range(100)]


def begun(open_curl: Opener, *parts: list[str]) -> Sending:
    """A message to the targets of each part."""
    transport = open_curl()
    return transport.begin([(transport.encode(a_notification(), NOW), tokens(*part)) for part in parts])


def test_a_few_that_are_late_are_none_of_most_and_all_of_all(open_curl: Opener, fcm: SimulatorProcess) -> None:
    fcm.behave(prefixes=SLOW | {"dead": {"unregistered": 1}})
    sending = begun(open_curl, [*QUICK, "slow-1", "dead", "slow-2"], ["slow-3"], [], ["dead-too"])
    [first, second, third, fourth] = sending.most()
    assert (first[100:], second, third, fourth) == ([None, DEAD, None], [None], [], [DEAD])
    assert set(first[:100]) <= {ACCEPTED, None}
    assert sending.all() == [[*[ACCEPTED] * 101, DEAD, ACCEPTED], [ACCEPTED], [], [DEAD]]
    assert sending.over


def test_whoever_wants_to_hear_that_it_is_over_does(open_curl: Opener, fcm: SimulatorProcess) -> None:
    fcm.behave(prefixes=SLOW)
    sending, over = begun(open_curl, ["slow"]), Event()
    sending.when_over(over.set)
    assert not over.is_set()
    assert over.wait(30.0)
    assert sending.over


def test_whoever_asks_late_hears_at_once_that_all_is_over(open_curl: Opener, fcm: SimulatorProcess) -> None:
    sending = begun(open_curl, ["a"])
    assert sending.all() == sending.all() == [[ACCEPTED]]
    over = Event()
    sending.when_over(over.set)
    assert over.is_set()
    assert fcm.counts()["requests"] == 1


def test_as_long_as_many_are_open_they_are_waited_for(open_curl: Opener, fcm: SimulatorProcess) -> None:
    fcm.behave(prefixes=SLOW)
    slow = [f"slow-{number}" for number in range(26)]
    assert begun(open_curl, [*QUICK, *slow]).most() == [[ACCEPTED] * 126]


def test_before_one_is_accepted_it_is_not_known_what_a_refusal_is_about(
    open_curl: Opener, fcm: SimulatorProcess
) -> None:
    fcm.behave(prefixes=SLOW | {"bad": {"invalid_argument": 1}})
    sending = begun(open_curl, ["bad", "slow"])
    assert sending.most() == [[None, None]]
    assert sending.all() == [[Outcome(Kind.TARGET_DEAD, Reason.INVALID_TARGET), ACCEPTED]]


def test_what_was_refused_for_its_credential_is_waited_for_and_sent_again(
    open_curl: Opener, fcm: SimulatorProcess
) -> None:
    fcm.behave(prefixes=SLOW | {"refused": {"unauthenticated": 1}})
    sending = begun(open_curl, ["quick", "refused", "slow"])
    assert sending.most() == [[ACCEPTED, REFUSED, ACCEPTED]]
    assert fcm.counts()["requests"] == 4
