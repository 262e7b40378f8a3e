"""What clients are written against, with the clients that people use; each event is held against the document."""

import pytest

from notify_server.bootstrap import Services
from notify_server.domain.registry import Status
from notify_server.services.inbox import Marked
from notify_server.services.reception import UNKNOWN
from tests.processes.realtime import RealtimeProcess
from tests.realtime_clients.conftest import KINDS, Announce, Open
from tests.realtime_clients.documented import Documented
from tests.service import until


def status(services: Services, notification: str) -> str:
    [entry] = services.inspection.registry(notification, None, None, 10)
    return str(entry["status"])


def test_a_notification_is_told_and_read_and_the_other_app_follows(
    open_app: Open, announce: Announce, services: Services, documented: Documented, user: str
) -> None:
    phone, tablet = open_app(user), open_app(user)
    notification = announce(user)
    for app in (phone, tablet):
        event, told = app.next()
        assert event == "notification:new"
        assert documented.faults("notification", told) == []
        assert (told[0]["id"], told[0]["title"]) == (notification, "Room changed")
        assert (told[1]["id"], told[1]["replayed"]) == (notification, False)
    answer = phone.call("receipt", {"notification_id": notification, "status": "read"})
    assert (answer, documented.faults("acknowledgement", [answer])) == ({"ok": True}, [])
    assert status(services, notification) == Status.READ
    _, updated = tablet.next("notification:updated")
    assert documented.faults("updated", updated) == []
    assert (updated[0]["id"], updated[0]["status"]) == (notification, "read")
    _, counts = tablet.next("notification:counts")
    assert documented.faults("counts", counts) == []
    assert counts == [{"unread": 0}]
    announce(user)
    services.inbox.mark_read(user, Marked())  # as another process does, over HTTP
    assert documented.faults("marked", tablet.next("notification:marked")[1]) == []


def test_what_was_missed_comes_first_and_in_order_and_then_what_is_new(
    open_app: Open, announce: Announce, documented: Documented, user: str
) -> None:
    app = open_app(user)
    announce(user)
    app.next("notification:new")
    app.pause()
    missed = [announce(user, title=title) for title in ("second", "third")]
    app.resume()
    event, summary = app.next("notification:replay", "notification:new")
    assert (event, summary) == ("notification:replay", [{"count": 2, "cut": False}])
    assert documented.faults("replay", summary) == []
    fresh = announce(user, title="fourth")
    told = [app.next("notification:new")[1] for _ in range(3)]
    assert [origin["id"] for _, origin in told] == [*missed, fresh]
    assert [origin["replayed"] for _, origin in told] == [True, True, False]
    assert [documented.faults("notification", each) for each in told] == [[], [], []]
    assert app.quiet(0.3)


def test_a_payload_comes_as_it_was_given(open_app: Open, announce: Announce, documented: Documented, user: str) -> None:
    app = open_app(user)
    identity = announce(user, payload='{"seat": 7, "name": "Zoë", "list": [1, null]}')
    _, told = app.next("notification:new")
    assert documented.faults("payload", told) == []
    assert (told[0], told[1]["id"]) == ({"seat": 7, "name": "Zoë", "list": [1, None]}, identity)


def test_a_broken_connection_heals_by_itself_and_nothing_comes_twice(
    open_app: Open, announce: Announce, user: str
) -> None:
    app = open_app(user)
    first = announce(user)
    assert app.next("notification:new")[1][1]["id"] == first
    app.cut()
    app.next("connect")
    assert app.next("notification:replay", "notification:new")[1] == [{"count": 0, "cut": False}]
    second = announce(user)
    assert app.next("notification:new")[1][1] | {"created_at": ""} == {
        "id": second,
        "created_at": "",
        "replayed": False,
    }
    assert app.quiet(0.3)


def test_what_is_anothers_is_nothing(open_app: Open, announce: Announce, services: Services, user: str) -> None:
    app, stranger = open_app(user), open_app(f"{user}-stranger")
    notification = announce(user)
    app.next("notification:new")
    stranger.emit("join", f"user:{user}")  # not answered
    answer = stranger.call("receipt", {"notification_id": notification, "status": "read"})
    assert answer == {"ok": False, "error": UNKNOWN}
    until(lambda: status(services, notification) == Status.SENT, "noted")
    stranger.pause()
    announce(user)
    stranger.resume()
    assert stranger.quiet(0.3)


@pytest.mark.parametrize("kind", KINDS)
def test_a_bad_token_is_refused_and_says_so(kind: str, realtime: RealtimeProcess, documented: Documented) -> None:
    app = KINDS[kind](f"http://127.0.0.1:{realtime.port}", "nonsense")
    event, [error] = app.next()
    assert event == "connect_error"
    assert error["message"]
    assert documented.faults("refused", [{name: value for name, value in error.items() if value is not None}]) == []
    app.close()
