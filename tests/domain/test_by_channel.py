"""Rows by channel, out of tallies of entries that push alone carries and of others."""

from notify_server.domain.by_channel import by_channel, telling
from notify_server.domain.registry import Reason, Status
from notify_server.domain.tally import standing, total

NOTHING = dict.fromkeys(("sent", "received", "read", "failed", "bounced", "suppressed"))


def tally(*entries):
    return total(dict.fromkeys(standing(*entry), 1) for entry in entries)


def rows(*entries):
    return {row.pop("channel"): row for row in map(dict, by_channel(tally(*entries)))}


PUSHED = [
    (Status.SENT, None, None),
    (Status.READ, None, None),
    (Status.PENDING, Reason.UNCONFIRMED, None),
    (Status.PENDING, Reason.NO_DEVICE, None),
    (Status.FAILED, Reason.UNREGISTERED, None),
    (Status.SUPPRESSED, Reason.MUTED_GROUP, None),
]


def test_push_alone_is_known_by_status():
    found = rows(*PUSHED)
    assert found["push"] == NOTHING | {"sent": 3, "failed": 1}
    assert found["realtime"] == NOTHING | {"sent": 0}
    assert found["email"] == dict.fromkeys(NOTHING, 0)


def test_others_by_what_their_history_says():
    found = rows(
        *PUSHED,
        (Status.READ, None, {"email/sent", "email/received", "email/read"}),
        (Status.RECEIVED, None, {"email/received"}),
        (Status.SENT, None, {"email/sent", "push/failed"}),
        (Status.SENT, None, {"push/sent", "email/bounced", "email/sent"}),
        (Status.RECEIVED, None, {"realtime/sent"}),
        (Status.FAILED, Reason.BAD_ADDRESS, {"email/failed"}),
        (Status.FAILED, Reason.UNREGISTERED, {"email/failed", "push/failed"}),
        (Status.SUPPRESSED, Reason.ADDRESS_BLOCKED, {"email/suppressed"}),
    )
    assert found["push"] == NOTHING | {"sent": 4, "failed": 3}
    assert found["realtime"] == NOTHING | {"sent": 1}
    assert found["email"] == {"sent": 4, "received": 2, "read": 1, "failed": 2, "bounced": 1, "suppressed": 1}


def test_rows_tell_something_where_more_than_push_has_done_anything():
    assert telling(by_channel(tally(*PUSHED))) == telling(by_channel({})) == []
    mailed = tally(*PUSHED, (Status.SENT, None, {"email/sent"}))
    assert [row["channel"] for row in telling(by_channel(mailed))] == ["push", "email"]
    assert [row["channel"] for row in telling(by_channel(tally((Status.SENT, None, {"email/sent"}))))] == ["email"]
