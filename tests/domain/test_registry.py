import pytest

from notify_server.domain.registry import TRANSITIONS, Event, Reason, Status, allowed, sources

# The edges of the diagram, letter by letter: (event, from, to).
EDGES = {
    (Event.EXPAND, None, "pending"),  # a
    (Event.SEND, "pending", "sent"),  # b
    (Event.RECEIVE, "sent", "received"),  # c
    (Event.READ, "received", "read"),  # c
    (Event.RESEND, "sent", "pending"),  # d
    (Event.READ, "sent", "read"),  # e
    (Event.RECEIVE, "pending", "received"),  # e
    (Event.READ, "pending", "read"),  # e
    (Event.MUTE, None, "suppressed"),  # f
    (Event.MUTE, "pending", "suppressed"),  # f
    (Event.SEND, "suppressed", "sent"),  # i
    (Event.FAIL, "pending", "failed"),  # g
    (Event.EXPIRE, "pending", "expired"),  # g
    (Event.CANCEL, "pending", "cancelled"),  # g
    (Event.DISABLE, "pending", "suppressed"),  # f
    (Event.BOUNCE, "sent", "failed"),  # k
    (Event.BOUNCE, "received", "failed"),  # k
    *((Event.RECEIVE, status, "received") for status in ("failed", "expired", "cancelled", "suppressed")),  # h
    *((Event.READ, status, "read") for status in ("failed", "expired", "cancelled", "suppressed")),  # h
}

# j: what becomes of an entry instead, where it was sent before.
RESENT = {
    (Event.MUTE, "pending", "sent"),
    (Event.FAIL, "pending", "sent"),
    (Event.EXPIRE, "pending", "sent"),
    (Event.CANCEL, "pending", "sent"),
    (Event.DISABLE, "pending", "sent"),
}


def test_the_table_holds_the_edges_of_the_diagram_and_no_others() -> None:
    table = {(event, source, move.target) for event, move in TRANSITIONS.items() for source in move.sources}
    assert table == EDGES


def test_what_was_sent_before_is_muted_failed_expired_and_cancelled_back_to_sent() -> None:
    differing = {event: move for event, move in TRANSITIONS.items() if move.ends_unsent}
    table = {(event, source, move.resent) for event, move in differing.items() for source in move.sources if source}
    assert table == RESENT


def test_every_event_has_its_transition() -> None:
    assert set(TRANSITIONS) == set(Event)


def test_every_status_can_be_reached_from_no_entry() -> None:
    reached: set[Status | None] = {None}
    for _ in Status:
        reached |= {move.target for move in TRANSITIONS.values() if move.sources & reached}
    assert reached == {None, *Status}


def test_nothing_leaves_read() -> None:
    leavable = {source for move in TRANSITIONS.values() for source in move.sources}
    assert set(Status) - leavable == {Status.READ}


@pytest.mark.parametrize("event", Event)
def test_an_event_is_allowed_exactly_where_its_transition_starts(event: Event) -> None:
    moved = {status for status in (None, *Status) if allowed(event, status)}
    assert moved == TRANSITIONS[event].sources


@pytest.mark.parametrize("event", Event)
def test_the_guard_of_an_update_names_the_stored_sources_alone(event: Event) -> None:
    guard = sources(event)
    assert guard == sorted(guard)
    assert set(guard) == TRANSITIONS[event].sources - {None}
    assert all(type(status) is str for status in guard)


def test_statuses_and_reasons_are_spelled_as_the_contract_has_them() -> None:
    counted = "pending sent received read failed suppressed expired cancelled"
    assert set(Status) == set(counted.split())
    assert all(reason == reason.lower().replace(" ", "_") for reason in Reason)
