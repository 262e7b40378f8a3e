"""The API over a real database: as a backend, and as the device of any user."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from pymongo.database import Database

from notify_server.api.app import create_app
from notify_server.bootstrap import Services, build_engine, build_services
from notify_server.channels.fcm.transport import open_transport
from notify_server.config import Config
from notify_server.domain.audience import Recipient
from notify_server.services.briefs import Briefs
from notify_server.storage.registry import Arrivals, Registry
from tests.api.caller import Caller
from tests.api.contract import Contract
from tests.conftest import united

SECRET = "a-secret-of-the-tests-that-is-long-enough"
UNLIMITED = {"rate_server": 1e6, "rate_user": 1e6, "rate_refused": 6e7}  # but counted, so that the headers are there


@pytest.fixture
def config(config: Config) -> Config:
    return replace(config, jwt_secret=SECRET, **UNLIMITED)


@pytest.fixture(scope="session")
def _services(mongodb_uri: str, database_name: str, _migrated: Database[dict[str, Any]]) -> Services:
    return build_services(
        Config(mongodb_uri=mongodb_uri, database=database_name, jwt_secret=SECRET, **UNLIMITED), _migrated
    )


@pytest.fixture
def services(_services: Services, database: Database[dict[str, Any]]) -> Services:
    """The services over the test's empty database; they are built once."""
    for remembered in (_services.rankings._devices, _services.rankings._mutes):
        remembered._known = None  # it is of another test's database
    return _services


@pytest.fixture(scope="session")
def app(_services: Services) -> Flask:
    """The application; built once, as it takes longer than most tests."""
    return create_app(Config(), _services)


@pytest.fixture(scope="session")
def contract(app: Flask) -> Contract:
    return Contract(app)


@pytest.fixture
def caller(app: Flask, contract: Contract) -> Callable[[str], Caller]:
    """Makes a client that holds a given token."""
    return lambda token: Caller(app, contract, token)


@pytest.fixture
def backend(caller: Callable[[str], Caller], services: Services) -> Caller:
    """A client with a server token of every scope."""
    return caller(services.server_tokens.create("backend", []))


@pytest.fixture
def device_of(caller: Callable[[str], Caller], services: Services) -> Callable[[str], Caller]:
    """Makes a client with the user token of a given user."""
    return lambda user: caller(services.user_tokens.mint(user)[0])


@pytest.fixture
def stored(database: Database[dict[str, Any]]) -> Callable[[], dict[str, list[Any]]]:
    """Reads everything that the database holds, but for when tokens were last used: that is noted on the side.

    The audit log is left out: what was let in and then refused has its line. So is the journal of the statistics: a
    mark of what was not changed costs a count, and nothing else.
    """

    def read() -> dict[str, list[Any]]:
        names = sorted(set(database.list_collection_names()) - {"audit", "changes", "keys"})
        found: dict[str, list[Any]] = {name: [] for name in names}
        for each in united(database, names, _all_of):
            found[each["of"]].append(each["document"])
        for client in found.get("clients", ()):
            del client["used_at"]
        return found

    return read


def _all_of(name: str) -> list[dict[str, Any]]:
    return [{"$project": {"_id": False, "of": {"$literal": name}, "document": "$$ROOT"}}]


@pytest.fixture
def expand(config: Config, database: Database[dict[str, Any]]) -> Callable[[], None]:
    """Makes entries of every brief audience that waits, as a worker would."""

    def run() -> None:
        briefs = Briefs(build_engine(config, database, open_transport(config)).expansion)
        while briefs.claim() or not briefs.idle:
            briefs.step()

    return run


@pytest.fixture
def notify(backend: Caller, database: Database[dict[str, Any]]) -> Callable[..., str]:
    """Posts a notification and enters its users into the registry as a worker would; returns its id."""

    def post(*users: str, **fields: Any) -> str:
        answer = backend.post("/v1/notifications", {"message": {"title": "Hello"}, "users": users, **fields})
        assert answer.json is not None
        identity = str(answer.json["id"])
        Registry(database).insert([Arrivals(identity, None, [Recipient(user) for user in users])], datetime.now(UTC))
        return identity

    return post
