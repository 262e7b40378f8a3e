import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify_server.domain.outcome import ACCEPTED, UNCOUNTED, Kind, Outcome, judge
from notify_server.domain.registry import Reason

DEAD = Outcome(Kind.TARGET_DEAD, Reason.UNREGISTERED)
REJECTED = Outcome(Kind.REJECTED, Reason.PAYLOAD_REJECTED)
BUSY = Outcome(Kind.RETRY, Reason.UNAVAILABLE)
QUOTA = Outcome(Kind.RETRY, Reason.QUOTA_EXCEEDED)
LATER = Outcome(Kind.RETRY, Reason.QUOTA_EXCEEDED, 30.0)

lists = st.lists(st.sampled_from([ACCEPTED, DEAD, REJECTED, BUSY, QUOTA, LATER]), min_size=1, max_size=5)


@pytest.mark.parametrize(
    ("outcomes", "kind"),
    [
        ([ACCEPTED, DEAD, REJECTED, BUSY], Kind.ACCEPTED),
        ([DEAD, REJECTED, BUSY], Kind.RETRY),
        ([DEAD, REJECTED], Kind.REJECTED),
        ([DEAD, DEAD], Kind.TARGET_DEAD),
    ],
)
def test_the_best_outcome_of_any_device_is_the_users(outcomes: list[Outcome], kind: Kind) -> None:
    assert judge(outcomes).kind is kind


@given(lists)
def test_accepted_devices_are_counted_among_all(outcomes: list[Outcome]) -> None:
    verdict = judge(outcomes)
    assert verdict.devices == len(outcomes)
    assert verdict.accepted == outcomes.count(ACCEPTED)
    assert (verdict.kind is Kind.ACCEPTED) is (verdict.accepted > 0)


@given(lists)
def test_what_can_still_succeed_is_retried_also_beside_what_was_accepted(outcomes: list[Outcome]) -> None:
    assert judge(outcomes).retries == {outcome for outcome in outcomes if outcome.kind is Kind.RETRY}


@given(lists)
def test_the_reason_is_one_of_the_kind_that_decides(outcomes: list[Outcome]) -> None:
    verdict = judge(outcomes)
    assert verdict.reason in {outcome.reason for outcome in outcomes if outcome.kind is verdict.kind}


@given(lists)
def test_the_cost_of_a_reason_does_not_depend_on_the_order_of_the_devices(outcomes: list[Outcome]) -> None:
    backwards = judge(outcomes[::-1])
    assert (judge(outcomes).reason in UNCOUNTED) is (backwards.reason in UNCOUNTED)


def test_a_reason_that_costs_an_attempt_is_told_before_one_that_costs_none() -> None:
    assert judge([QUOTA, BUSY]).reason is Reason.UNAVAILABLE
    assert judge([QUOTA, LATER]).reason is Reason.QUOTA_EXCEEDED


def test_an_accepted_send_has_no_reason() -> None:
    assert judge([BUSY, ACCEPTED]).reason is None


def test_429_both_kinds_of_401_and_what_we_hold_back_ourselves_cost_no_attempt() -> None:
    turned_away = {Reason.QUOTA_EXCEEDED, Reason.CREDENTIAL_REFUSED, Reason.PROVIDER_CREDENTIAL}
    mail = {Reason.TLS_FAILED, Reason.SENDER_REFUSED, Reason.NO_ADDRESS}
    assert turned_away | mail | {Reason.DEVICE_RATE} == UNCOUNTED
