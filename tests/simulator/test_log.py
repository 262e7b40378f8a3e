import json

import pytest

from notify_server.simulator.log import MessageLog
from notify_server.simulator.outcomes import Outcome
from notify_server.simulator.validation import Content, Request

AT = 1_790_000_000_000_007  # microseconds since 1970: 2026-09-21T14:13:20.000007Z


def _request(target: str, notification_id: str | None = "n1", raw: bytes = b'{"data":{}}') -> Request:
    return Request("token", target, Content(raw, 11, notification_id, None))


@pytest.fixture
def log() -> MessageLog:
    return MessageLog("projects/p/messages/0:", keeps_rows=True)


def test_a_row_tells_what_came_and_what_became_of_it(log: MessageLog) -> None:
    log.add(AT, _request("t1"), Outcome.ACCEPTED, serial=255, answered=False)
    (line,) = log.lines()
    assert line.endswith(b"\n")
    assert json.loads(line) == {
        "at": "2026-09-21T14:13:20.000007Z",
        "target": "t1",
        "type": "token",
        "message": {"data": {}},
        "name": "projects/p/messages/0:00000000000000ff",
        "outcome": "accepted",
        "answered": False,
    }


def test_a_request_without_target_or_name_has_null_in_their_place(log: MessageLog) -> None:
    log.add(AT, Request("", "", Content(b"null", 0, None, None)), Outcome.INVALID_ARGUMENT)
    (row,) = map(json.loads, log.lines())
    assert (row["target"], row["type"], row["message"], row["name"]) == (None, None, None, None)


def test_duplicates_are_counted_per_target_and_notification(log: MessageLog) -> None:
    for target, notification in [("t1", "n1"), ("t2", "n1"), ("t1", "n2"), ("t1", "n1"), ("t1", "n1"), ("t3", None)]:
        log.add(AT, _request(target, notification), Outcome.ACCEPTED, serial=1)
    log.add(AT, _request("t3", None), Outcome.ACCEPTED, serial=1)
    log.add(AT, _request("t2"), Outcome.UNAVAILABLE)
    counts = log.counts()
    assert (counts["accepted"], counts["targets"], counts["duplicates"]) == (7, 3, 2)
    assert counts["by_outcome"] == {"accepted": 7, "unavailable": 1}
    assert counts["requests"] == 8


def test_first_and_last_are_those_of_all_requests(log: MessageLog) -> None:
    assert (log.counts()["first_at"], log.counts()["last_at"]) == (None, None)
    for later in (0, 1, 2):
        log.add(AT + later, _request("t"), Outcome.INTERNAL)
    assert log.counts()["first_at"] == "2026-09-21T14:13:20.000007Z"
    assert log.counts()["last_at"] == "2026-09-21T14:13:20.000009Z"


def test_rows_are_narrowed(log: MessageLog) -> None:
    for target, outcome in [("a1", Outcome.ACCEPTED), ("a2", Outcome.INTERNAL), ("b1", Outcome.ACCEPTED)]:
        log.add(AT, _request(target), outcome)
    assert [json.loads(line)["target"] for line in log.lines(outcome="accepted")] == ["a1", "b1"]
    assert [json.loads(line)["target"] for line in log.lines(target_prefix="a")] == ["a1", "a2"]


def test_without_rows_the_sums_are_kept(log: MessageLog) -> None:
    log.keeps_rows = False
    log.add(AT, _request("t1"), Outcome.ACCEPTED, serial=1, answered=False)
    assert list(log.lines()) == []
    assert (log.counts()["accepted"], log.counts()["targets"], log.counts()["unanswered"]) == (1, 1, 1)
