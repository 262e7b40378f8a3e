"""A gateway's sockets for the tests, with limits of the test's own."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest

from notify_server.config import Config
from notify_server.storage.documents import Store
from tests.gateway.serving import Serving, serving
from tests.services.conftest import clock, fcm, scene, simulator, transport

__all__ = ["clock", "fcm", "scene", "serve", "simulator", "transport"]  # the scene of the services' tests, and sockets

SECRET = "a secret of the tests, long enough for HS256"


@pytest.fixture
def serve(config: Config, database: Store) -> Iterator[Callable[..., Serving]]:
    """Serves with some settings, without `realtime_` before their names."""
    with ExitStack() as stack:

        def served(**settings: Any) -> Serving:
            named = {f"realtime_{name}": value for name, value in settings.items()}
            return stack.enter_context(serving(replace(config, jwt_secret=SECRET, **named), database))

        yield served
