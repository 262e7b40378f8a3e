"""A server and the phone of u1 that speak JSON:API, and notifications for them."""

from functools import partial

import pytest

from tests.api.jsonapi.speaker import Speaker, entered


@pytest.fixture
def server(backend):
    return Speaker(backend)


@pytest.fixture
def phone(device_of):
    return Speaker(device_of("u1"))


@pytest.fixture
def enter(database):
    return partial(entered, database)
