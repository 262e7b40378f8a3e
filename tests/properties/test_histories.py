"""What any sequence of events makes of an entry, by TRANSITIONS: repeats and their order, and what is never undone."""

from collections.abc import Iterable
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from notify_server.domain.registry import TRANSITIONS, Event, Status, allowed

# A mail that comes back ends only what nothing else has reached: its update asks the history, not the table alone.
HAPPENING = [event for event in Event if event is not Event.BOUNCE]
events = st.lists(st.sampled_from(HAPPENING), max_size=20)
receipts = st.lists(st.sampled_from([Event.RECEIVE, Event.READ]), min_size=1, max_size=6)
begun = st.sampled_from([Event.EXPAND, Event.MUTE])


def after(events: Iterable[Event], status: Status | None = None) -> Status | None:
    """Where an entry stands after `events`, of which those that may not happen change nothing."""
    sent = status is Status.SENT
    for event in events:
        if allowed(event, status):
            status = TRANSITIONS[event].resent if sent else TRANSITIONS[event].target
        sent = sent or status is Status.SENT
    return status


@settings(deadline=None)
@given(begun, events, st.sampled_from(Event))
def test_an_event_that_is_repeated_at_once_changes_nothing_the_second_time(
    first: Event, earlier: list[Event], event: Event
) -> None:
    once = after([first, *earlier, event])
    assert after([event], once) is once


@settings(deadline=None)
@given(begun, events, events)
def test_what_is_read_stays_so_whatever_comes(first: Event, earlier: list[Event], later: list[Event]) -> None:
    assert after([first, *earlier, Event.READ, *later]) is Status.READ


@settings(deadline=None)
@given(events)
def test_only_the_word_of_fcm_or_of_a_device_moves_what_is_muted(later: list[Event]) -> None:
    evidence = {Event.SEND, Event.RECEIVE, Event.READ}
    if evidence.isdisjoint(later):
        assert after([Event.MUTE, *later]) is Status.SUPPRESSED


@settings(deadline=None)
@given(begun, events, receipts, st.randoms(use_true_random=False))
def test_the_order_of_receipts_does_not_matter(
    first: Event, earlier: list[Event], reported: list[Event], rng: Random
) -> None:
    status = after([first, *earlier])
    shuffled = sorted(reported, key=lambda _: rng.random())
    assert after(reported, status) is after(shuffled, status)


@settings(deadline=None)
@given(events, receipts, events)
def test_what_a_device_has_reported_is_never_taken_back(
    earlier: list[Event], reported: list[Event], later: list[Event]
) -> None:
    end = after([Event.EXPAND, *earlier, *reported, *later])
    assert end in (Status.RECEIVED, Status.READ)
    assert (end is Status.READ) or Event.READ not in [*earlier, *reported, *later]


@settings(deadline=None)
@given(begun, events, events)
def test_nobody_who_was_sent_it_ends_as_if_it_had_never_been_sent(
    first: Event, earlier: list[Event], later: list[Event]
) -> None:
    if after([first, *earlier]) is Status.SENT:
        unsent = {Status.FAILED, Status.EXPIRED, Status.CANCELLED, Status.SUPPRESSED}
        assert after([first, *earlier, *later]) not in unsent


@settings(deadline=None)
@given(events)
def test_two_events_that_end_an_entry_never_both_win(later: list[Event]) -> None:
    ends = {Event.FAIL, Event.EXPIRE, Event.CANCEL}
    status: Status | None = after([Event.EXPAND])
    won = 0
    for event in later:
        won += event in ends and allowed(event, status)
        status = after([event], status)
    assert won <= 1
