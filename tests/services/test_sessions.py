from datetime import timedelta

import pytest

from notify_server.domain.server_token import client_of
from notify_server.errors import Forbidden, Unauthenticated
from notify_server.services.server_tokens import ServerTokens
from notify_server.services.sessions import IDLE, LONGEST, Sessions
from notify_server.storage.clients import Clients
from notify_server.storage.sessions import Sessions as StoredSessions


@pytest.fixture
def tokens(database, clock):
    return ServerTokens(Clients(database), clock)


@pytest.fixture
def sessions(database, clock, tokens):
    return Sessions(StoredSessions(database), tokens, clock)


@pytest.fixture
def token(tokens):
    return tokens.create("ops", ["admin", "read"])


def begin(sessions, token):
    return sessions.begin(sessions.admit(token), token)


def test_a_session_is_its_tokens(sessions, token):
    client = sessions.admit(token)
    secret = sessions.begin(client, token)
    assert client.id == client_of(token)
    assert sessions.holder(secret) == client
    assert sorted(client.scopes) == ["admin", "read"]


def test_each_sign_in_has_a_secret_of_its_own(sessions, token):
    first, second = begin(sessions, token), begin(sessions, token)
    sessions.end(first)
    assert sessions.holder(second)
    with pytest.raises(Unauthenticated, match="has ended"):
        sessions.holder(first)


def test_nothing_that_is_stored_is_a_secret(sessions, token, database):
    secret = begin(sessions, token)
    stored = str(list(database["sessions"].find()))
    assert secret not in stored
    assert token.split("_", 2)[2] not in stored


def test_only_an_admin_has_one(sessions, tokens):
    with pytest.raises(Forbidden, match="lacks the scope admin"):
        sessions.admit(tokens.create("billing", ["send", "read"]))
    for wrong in ("", "nobody"):
        with pytest.raises(Unauthenticated):
            sessions.admit(wrong)


def test_it_ends_without_use(sessions, token, clock):
    secret = begin(sessions, token)
    clock.forward(IDLE.total_seconds())
    with pytest.raises(Unauthenticated):
        sessions.holder(secret)


def test_use_keeps_it_going_but_not_for_ever(sessions, token, clock):
    secret = begin(sessions, token)
    step = IDLE - timedelta(minutes=2)
    for _ in range(LONGEST // step):
        clock.forward(step.total_seconds())
        assert sessions.holder(secret)
    clock.forward((LONGEST - LONGEST // step * step).total_seconds())
    with pytest.raises(Unauthenticated):
        sessions.holder(secret)


def test_looking_without_use_does_not(sessions, token, clock):
    secret = begin(sessions, token)
    clock.forward(IDLE.total_seconds() - 1)
    assert sessions.holder(secret, used=False)
    clock.forward(1)
    with pytest.raises(Unauthenticated):
        sessions.holder(secret, used=False)


def test_use_is_written_down_once_a_minute(sessions, token, clock, database):
    secret = begin(sessions, token)
    before = database["sessions"].find_one()
    clock.forward(59)
    sessions.holder(secret)
    assert database["sessions"].find_one() == before
    clock.forward(1)
    sessions.holder(secret)
    assert database["sessions"].find_one()["ends_at"] == clock() + IDLE


def test_it_is_over_at_once_when_its_token_is_revoked(sessions, tokens, token):
    secret = begin(sessions, token)
    tokens.revoke(client_of(token))
    with pytest.raises(Unauthenticated, match="revoked"):
        sessions.holder(secret)


def test_it_is_over_when_the_secret_it_began_with_is(sessions, tokens, token, clock):
    secret = begin(sessions, token)
    newer = begin(sessions, tokens.rotate(client_of(token), timedelta(minutes=5)))
    assert sessions.holder(secret)
    clock.forward(300)
    with pytest.raises(Unauthenticated, match="replaced by a newer one"):
        sessions.holder(secret)
    assert sessions.holder(newer)


def test_it_is_over_when_its_token_expires(sessions, tokens, clock):
    secret = begin(sessions, tokens.create("ops", ["admin"], timedelta(minutes=5)))
    clock.forward(300)
    with pytest.raises(Unauthenticated, match="has expired"):
        sessions.holder(secret)


def test_a_scope_that_is_taken_away_is_gone(sessions, token, database):
    secret = begin(sessions, token)
    database["clients"].update_one({}, {"$set": {"scopes": ["read"]}})
    with pytest.raises(Forbidden):
        sessions.holder(secret)


def test_another_process_knows_it(sessions, token, database, clock):
    secret = begin(sessions, token)
    another = Sessions(StoredSessions(database), ServerTokens(Clients(database), clock), clock)
    assert another.holder(secret).id == client_of(token)
    another.end(secret)
    with pytest.raises(Unauthenticated):
        sessions.holder(secret)
