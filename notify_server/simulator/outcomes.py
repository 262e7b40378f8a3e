"""The words for what became of one request, in the log, the counts and the behaviour."""

from enum import IntEnum, StrEnum


class Fault(StrEnum):
    """What can be made to happen to a message, in the order in which one draw picks among them."""

    UNAVAILABLE = "unavailable"
    INTERNAL = "internal"
    QUOTA = "quota"
    UNREGISTERED = "unregistered"
    SENDER_ID_MISMATCH = "sender_id_mismatch"
    INVALID_ARGUMENT = "invalid_argument"
    UNAUTHENTICATED = "unauthenticated"
    THIRD_PARTY_AUTH = "third_party_auth"
    DROP_BEFORE = "drop_before"  # the connection is lost before the message is accepted
    DROP_AFTER = "drop_after"  # the connection is lost after the message is accepted
    STALL_BEFORE = "stall_before"  # not accepted: 503 after stall_seconds
    STALL_AFTER = "stall_after"  # accepted: 200 after stall_seconds


class Drop(StrEnum):
    """What is lost where an answer is withheld."""

    CONNECTION = "connection"  # the connection, and with it every request on it
    STREAM = "stream"  # over HTTP/2 this request alone; over HTTP/1.1 there is nothing but the connection


FAULTS = tuple(Fault)
RETRYABLE = ("unavailable", "internal", "quota")  # the answers that may carry Retry-After


class Outcome(IntEnum):
    """What became of a request, numbered for the log's columns."""

    ACCEPTED = 0
    VALIDATED = 1  # validate_only: found good, delivered to nobody
    UNAVAILABLE = 2
    INTERNAL = 3
    QUOTA = 4
    UNREGISTERED = 5
    SENDER_ID_MISMATCH = 6
    INVALID_ARGUMENT = 7
    UNAUTHENTICATED = 8
    THIRD_PARTY_AUTH = 9
    PERMISSION_DENIED = 10
    DROPPED = 11  # drop_before: lost, not accepted
    STALLED = 12  # stall_before: not accepted

    @property
    def word(self) -> str:
        """The outcome as it is written."""
        return self.name.lower()


WORDS = tuple(outcome.word for outcome in Outcome)
