"""A real gateway process, spoken to by a real Socket.IO client. What clients are promised is in tests/realtime_clients.

One process serves all these tests. It goes by the numbers of the announcements, so these go on from test to test.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import socketio

from notify_server.bootstrap import Services, build_engine, build_services
from notify_server.channels.fcm.transport import open_transport
from notify_server.config import Config
from notify_server.domain.batch import Rank
from notify_server.domain.notification import Audience, Channel, Message
from notify_server.domain.registry import Status
from notify_server.services.acceptance import Draft
from notify_server.services.inbox import Marked
from notify_server.storage.documents import Store
from tests.conftest import empty
from tests.key_issuer import with_secret
from tests.processes.realtime import SECRET, App, RealtimeProcess
from tests.service import until

Open = Callable[..., App]


@pytest.fixture(scope="module")
def realtime(
    mongodb_uri: str, shared_database: Store, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RealtimeProcess]:
    directory = tmp_path_factory.mktemp("realtime")
    with RealtimeProcess(Config(mongodb_uri=mongodb_uri, database=shared_database.name, data_dir=directory)) as process:
        yield process


@pytest.fixture
def database(shared_database: Store) -> Iterator[Store]:
    yield shared_database
    empty(shared_database, "sequences")


@pytest.fixture
def services(config: Config, database: Store) -> Services:
    return build_services(replace(config, jwt_secret=SECRET), database)


@pytest.fixture
def open_app(realtime: RealtimeProcess, services: Services) -> Iterator[Open]:
    apps: list[App] = []

    def opened(user: str, since: str | None = None) -> App:
        apps.append(App(realtime, {"token": services.user_tokens.mint(user)[0], "since": since}))
        return apps[-1]

    yield opened
    for app in apps:
        app.close()


@pytest.fixture
def announce(config: Config, database: Store, services: Services) -> Callable[..., str]:
    """Accept a notification for some users on the realtime channel, and expand it as a worker does."""
    transport = open_transport(config)
    expansion = build_engine(config, database, transport).expansion

    def announced(*users: str, **fields: Any) -> str:
        draft = Draft(
            Message(title="Room changed"), Audience(tuple(sorted(users))), channels=(Channel.REALTIME,), **fields
        )
        notification = services.acceptance.accept(draft, "test", None)
        claims = expansion.claim(list(Rank), 1)
        assert [claim.notification.id for claim in claims] == [notification.id]
        assert [page for load in expansion.together(claims) for page in load] == []  # nothing of it is for push
        return notification.id

    return announced


def test_a_notification_reaches_the_open_apps_of_its_recipients_alone(
    open_app: Open, announce: Callable[..., str], services: Services
) -> None:
    ada, ada_too, grace = open_app("ada"), open_app("ada"), open_app("grace")
    notification = announce("ada", "offline")
    for app in (ada, ada_too):
        payload, origin = app.received.get(timeout=10)
        assert (payload["id"], payload["title"], payload["is_read"]) == (notification, "Room changed", False)
        assert (origin["id"], origin["replayed"]) == (notification, False)
    assert grace.silent(1.5)
    assert ada.silent(0.1)  # once
    entries = {e["user_id"]: e for e in services.inspection.registry(notification, None, None, 10)}
    assert entries["ada"]["status"] == Status.SENT
    assert entries["offline"]["status"] == Status.PENDING


@pytest.mark.parametrize(
    "receipt",
    [None, [], "read", {}, {"notification_id": 1, "status": "read"}, {"notification_id": "x", "status": "sent"}],
)
def test_a_receipt_that_says_nothing_is_refused_by_its_acknowledgement(open_app: Open, receipt: object) -> None:
    answer = open_app("ada").call("receipt", receipt)
    assert answer["ok"] is False
    assert "notification_id" in answer["error"]


def test_who_asks_for_nothing_is_told_nothing_of_the_past(open_app: Open, announce: Callable[..., str]) -> None:
    earlier = open_app("ada")
    announce("ada")
    assert earlier.changes.get(timeout=10) == ("counts", {"unread": 1})  # now it is past for this gateway
    ada = open_app("ada")
    assert ada.silent(0.5)
    assert ada.changes.empty()


def test_a_replay_makes_sent_what_was_pending(open_app: Open, announce: Callable[..., str], services: Services) -> None:
    first, missed = announce("ada"), announce("ada")
    open_app("ada", first).received.get(timeout=10)
    until(lambda: services.inspection.registry(missed, "sent", None, 9), "it is noted")


def test_what_one_socket_reads_the_others_are_told_and_the_unread_are_counted_once(
    open_app: Open, announce: Callable[..., str], services: Services
) -> None:
    phone, tablet, grace = open_app("ada"), open_app("ada"), open_app("grace")
    first, second = announce("ada"), announce("ada")
    for app in (phone, tablet):
        while app.changes.get(timeout=10) != ("counts", {"unread": 2}):
            pass  # of the first alone
    assert phone.call("receipt", {"notification_id": first, "status": "read"}) == {"ok": True}
    assert tablet.changes.get(timeout=10) == ("updated", {"id": first, "status": "read"})
    assert tablet.changes.get(timeout=10) == ("counts", {"unread": 1})
    assert phone.changes.get(timeout=10) == ("counts", {"unread": 1})
    services.inbox.mark("ada", second, read=True)  # as another process does, over HTTP
    services.inbox.mark("ada", first, read=False)
    for app in (phone, tablet):
        assert app.changes.get(timeout=10) == ("updated", {"id": second, "status": "read", "is_read": True})
        assert app.changes.get(timeout=10) == ("updated", {"id": first, "status": "read", "is_read": False})
        assert app.changes.get(timeout=10) == ("counts", {"unread": 1})
    services.inbox.mark_read("ada", Marked())
    for app in (phone, tablet):
        named = {"status": "read", "groups": None, "categories": None, "before": None}
        assert app.changes.get(timeout=10) == ("marked", named)
        assert app.changes.get(timeout=10) == ("counts", {"unread": 0})
    assert grace.changes.empty()


@pytest.mark.parametrize("since", ["nonsense", 5, {}, ""])
def test_a_since_that_is_no_id_is_refused_by_name(realtime: RealtimeProcess, services: Services, since: object) -> None:
    auth = {"token": services.user_tokens.mint("ada")[0], "since": since}
    with pytest.raises(socketio.exceptions.ConnectionError, match="since"):
        App(realtime, auth)


@pytest.mark.parametrize("changed", [{"sub": "a/b"}, {"sub": 1}, {"aud": "other"}, {"exp": 1}])
def test_a_token_is_judged_as_the_api_judges_it(realtime: RealtimeProcess, changed: dict[str, Any]) -> None:
    times = {"iat": 0, "exp": 2**40}
    good = {"sub": "u1", "iss": "notify-server", "aud": "notify-server", **times}
    App(realtime, {"token": with_secret({"alg": "HS256"}, good, SECRET.encode())}).close()
    with pytest.raises(socketio.exceptions.ConnectionError):
        App(realtime, {"token": with_secret({"alg": "HS256"}, good | changed, SECRET.encode())})


def test_a_signal_stops_the_process_cleanly(config: Config, database: Store, realtime: RealtimeProcess) -> None:
    with RealtimeProcess(config) as another:
        assert another.stop() == 0
    assert "Traceback" not in another.output + realtime.output
