"""One gateway process for all of these tests, and apps of any user."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from notify_server.api.app import create_app
from notify_server.bootstrap import Services, build_engine, build_services
from notify_server.channels.fcm.transport import open_transport
from notify_server.config import Config
from notify_server.domain.batch import Rank
from notify_server.domain.notification import Audience, Channel, Message
from notify_server.services.acceptance import Draft
from tests.processes.realtime import SECRET, RealtimeProcess
from tests.realtime_clients.clients import Client, NodeClient, PythonClient
from tests.realtime_clients.documented import Documented

KINDS = {"node": NodeClient, "python": PythonClient}
Open = Callable[[str], Client]
Announce = Callable[..., str]


@pytest.fixture(scope="module")
def settings(
    mongodb_uri: str,
    database_name: str,
    shared_database: Database[dict[str, Any]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Config:
    directory: Path = tmp_path_factory.mktemp("realtime")
    return Config(mongodb_uri=mongodb_uri, database=database_name, data_dir=directory, jwt_secret=SECRET)


@pytest.fixture(scope="module")
def services(settings: Config, shared_database: Database[dict[str, Any]]) -> Services:
    return build_services(settings, shared_database)


@pytest.fixture(scope="module")
def realtime(settings: Config) -> Iterator[RealtimeProcess]:
    with RealtimeProcess(settings) as process:
        yield process
    assert "Traceback" not in process.output


@pytest.fixture(scope="module")
def documented(settings: Config, services: Services) -> Documented:
    return Documented(create_app(settings, services).extensions["asyncapi"])


@pytest.fixture(scope="module")
def announce(settings: Config, services: Services, shared_database: Database[dict[str, Any]]) -> Announce:
    """Accept a notification for some users on the realtime channel, and expand it as a worker does; returns its id."""
    expansion = build_engine(replace(settings, fcm_project="test"), shared_database, open_transport(settings)).expansion

    def announced(*users: str, title: str = "Room changed", **fields: Any) -> str:
        draft = Draft(Message(title=title), Audience(tuple(sorted(users))), channels=(Channel.REALTIME,), **fields)
        notification = services.acceptance.accept(draft, "test", None)
        for load in expansion.together(expansion.claim(list(Rank), 1)):
            assert list(load) == []  # nothing of it is for push
        return notification.id

    return announced


@pytest.fixture(params=KINDS)
def open_app(request: pytest.FixtureRequest, realtime: RealtimeProcess, services: Services) -> Iterator[Open]:
    """Open an app of a user, which is connected, with each kind of client."""
    apps: list[Client] = []

    def opened(user: str) -> Client:
        token = services.user_tokens.mint(user)[0]
        apps.append(KINDS[request.param](f"http://127.0.0.1:{realtime.port}", token))
        apps[-1].next("connect")
        return apps[-1]

    yield opened
    for app in apps:
        app.close()


@pytest.fixture
def user(request: pytest.FixtureRequest) -> str:
    """A user of the test's own: the database is not emptied between these tests."""
    return f"user-of-{abs(hash(request.node.name))}"
