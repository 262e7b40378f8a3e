"""The console over a real database."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from pymongo.database import Database

from notify_server.bootstrap import Services, build_services
from notify_server.config import Config
from notify_server.console.app import create_app
from notify_server.console.mount import Mounted
from notify_server.domain.audience import Recipient
from notify_server.domain.notification import Audience, Message
from notify_server.services.acceptance import Draft
from notify_server.storage.notifications import Notifications
from notify_server.storage.registry import Arrivals, Registry
from tests.console.visitor import Visitor

UNLIMITED = {"rate_refused": 6e7}


@pytest.fixture(scope="session")
def _services(mongodb_uri: str, database_name: str, _migrated: Database[dict[str, Any]]) -> Services:
    return build_services(Config(mongodb_uri=mongodb_uri, database=database_name, **UNLIMITED), _migrated)


@pytest.fixture
def services(_services: Services, database: Database[dict[str, Any]]) -> Services:
    """The services over the test's empty database; they are built once."""
    for remembered in (_services.rankings._devices, _services.rankings._mutes):
        remembered._known = None  # it is of another test's database
    return _services


@pytest.fixture(scope="session")
def console(_services: Services) -> Flask:
    """The application; built once."""
    return create_app(Config(), _services)


@pytest.fixture
def mounted(console: Flask, services: Services) -> Mounted:
    return Mounted(Flask("api"), console)


@pytest.fixture
def visitor(mounted: Mounted) -> Visitor:
    """Somebody who has not signed in."""
    return Visitor(mounted)


@pytest.fixture
def signed_in(mounted: Mounted, services: Services) -> Callable[..., Visitor]:
    """Makes somebody who has signed in with a token of `admin` and these scopes; without any, of every scope."""

    def make(*scopes: str, **environment: Any) -> Visitor:
        made = Visitor(mounted, **environment)
        answer = made.sign_in(services.server_tokens.create("ops", ["admin", *scopes] if scopes else []))
        assert answer.status_code == 303, answer.text
        return made

    return make


@pytest.fixture
def admin(signed_in: Callable[..., Visitor]) -> Visitor:
    """Somebody who may see and do everything."""
    return signed_in()


@pytest.fixture
def notify(services: Services, database: Database[dict[str, Any]]) -> Callable[..., str]:
    """Accepts a notification and enters its users as a worker would; its id."""

    def accept(*users: str, title: str = "Hello", **fields: Any) -> str:
        message = fields.pop("message", Message(title=title))
        audience = fields.pop("audience", Audience(tuple(sorted(users))))
        made = services.acceptance.accept(Draft(message, audience, **fields), "backend", None)
        Registry(database).insert([Arrivals(made.id, made.category, [Recipient(user) for user in users])], now())
        assert Notifications(database).get(made.id)
        return made.id

    return accept


def now() -> datetime:
    return datetime.now(UTC)
