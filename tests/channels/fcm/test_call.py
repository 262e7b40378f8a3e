from notify_server.channels.fcm.call import Call
from notify_server.channels.fcm.encoding import EncodedMessage
from notify_server.domain.outcome import ACCEPTED, Kind, Outcome
from notify_server.domain.registry import Reason
from tests.channels.fcm.conftest import tokens

LOST = Outcome(Kind.RETRY, Reason.CONNECTION_LOST)
REFUSED = Outcome(Kind.RETRY, Reason.CREDENTIAL_REFUSED)
PROVIDER = Outcome(Kind.RETRY, Reason.PROVIDER_CREDENTIAL)


def a_call(count: int) -> Call:
    return Call("https://x/", ("Authorization: Bearer t",), EncodedMessage(b"}}"), tokens(*"abcdefgh"[:count]))


def test_targets_are_taken_in_order_and_answered_in_any() -> None:
    call = a_call(3)
    assert [call.take()[0] for _ in range(3)] == [0, 1, 2]
    call.answer(2, 200, ACCEPTED)
    call.lose(0, "curl 28: timed out")
    call.answer(1, 200, ACCEPTED)
    call.wait()
    assert call.outcomes == [LOST, ACCEPTED, ACCEPTED]
    assert call.fault == "curl 28: timed out"


def test_a_body_holds_the_target() -> None:
    assert a_call(1).take() == (0, b'{"message":{"token":"a"}}')


def test_a_401_before_any_other_answer_holds_the_rest_back() -> None:
    call = a_call(4)
    call.take()
    call.take()
    call.answer(0, 401, REFUSED)
    assert call.unsent == 0
    call.answer(1, 401, REFUSED)
    call.wait()
    assert sorted(call.refused) == [0, 1, 2, 3]
    assert call.outcomes == [REFUSED] * 4
    assert not call.authenticated


def test_a_401_after_another_answer_is_that_targets_alone() -> None:
    call = a_call(3)
    for _ in range(2):
        call.take()
    call.answer(0, 200, ACCEPTED)
    call.answer(1, 401, REFUSED)
    assert (call.unsent, call.refused, call.authenticated) == (1, [1], True)


def test_a_401_about_the_apps_own_credential_is_no_refusal_of_ours() -> None:
    call = a_call(1)
    call.take()
    call.answer(0, 401, PROVIDER)
    assert (call.refused, call.authenticated) == ([], True)


def test_an_abandoned_call_is_over_and_the_open_targets_are_lost() -> None:
    call = a_call(3)
    call.take()
    call.answer(0, 200, ACCEPTED)
    call.take()
    call.abandon()
    call.wait()
    assert call.outcomes == [ACCEPTED, LOST, LOST]
    assert call.unsent == 0


def test_it_is_waited_for_no_longer_than_one_likes() -> None:
    call = a_call(1)
    assert not call.wait(0)
    call.take()
    call.answer(0, 200, ACCEPTED)
    assert call.wait(0)
    assert (call.over, call.open) == (True, 0)


def test_who_wants_to_hear_of_its_end_does_whether_that_comes_or_came() -> None:
    heard: list[str] = []
    call = a_call(1)
    call.when_over(lambda: heard.append("comes"))
    assert heard == []
    call.abandon()
    assert heard == ["comes"]
    call.when_over(lambda: heard.append("came"))
    a_call(0).when_over(lambda: heard.append("nobody is open"))
    assert heard == ["comes", "came", "nobody is open"]


def test_what_is_certain_so_far_leaves_out_what_is_open() -> None:
    call = a_call(3)
    assert call.so_far() == [None, None, None]
    for _ in range(3):
        call.take()
    call.lose(1, "curl 28: timed out")
    assert call.so_far() == [None, None, None]
    call.answer(2, 200, ACCEPTED)
    assert call.so_far() == [None, LOST, ACCEPTED]
    call.abandon()
    assert call.so_far() == [LOST, LOST, ACCEPTED]
