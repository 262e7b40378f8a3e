import pytest

from notify_server.storage.sessions import Session, Sessions
from tests.builders import NOON, after

DIGEST = "a" * 64


@pytest.fixture
def sessions(database):
    return Sessions(database)


@pytest.fixture
def session(sessions):
    made = Session(DIGEST, "c1", "b" * 64, NOON, after(60))
    sessions.add(made)
    return made


def test_a_session_is_found_until_it_ends(sessions, session):
    assert sessions.find(DIGEST, after(59)) == session
    assert sessions.find(DIGEST, after(60)) is None
    assert sessions.find("c" * 64, NOON) is None


def test_it_is_extended_and_never_shortened(sessions, session):
    sessions.extend(DIGEST, after(90))
    sessions.extend(DIGEST, after(30))
    assert sessions.find(DIGEST, after(80)).ends_at == after(90)


def test_it_is_ended_once_and_not_brought_back(sessions, session):
    sessions.end(DIGEST)
    sessions.end(DIGEST)
    sessions.extend(DIGEST, after(90))
    assert sessions.find(DIGEST, NOON) is None


def test_what_has_ended_is_removed_by_the_database(database):
    index = database["sessions"].index_information()["to_end"]
    assert (index["key"], index["expireAfterSeconds"]) == ([("ends_at", 1)], 0)
