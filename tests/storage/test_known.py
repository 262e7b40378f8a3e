from datetime import UTC, datetime
from random import Random

import pytest

from notify_server.domain.notification import Audience
from notify_server.storage.groups import Groups
from notify_server.storage.known import Known
from notify_server.storage.users import Users
from tests.builders import NOON
from tests.statistics_world import World


@pytest.fixture
def known(database):
    return Known(database)


def test_a_group_is_known_that_is_there_or_has_a_member(known, database):
    Groups(database).put("empty", None, NOON)
    Users(database).put("u1", {"groups": ["mentioned"]}, NOON)
    assert [known.group(name) for name in ("empty", "mentioned", "other")] == [True, True, False]


def test_a_community_is_known_of_which_there_is_a_user_or_a_notification(known, database):
    Users(database).mention(["u1"], "school-1", NOON)
    World(database, Random(1)).notify(NOON, community="school-2")  # noqa: S311 - not a secret
    assert [known.community(f"school-{number}") for number in (1, 2, 3)] == [True, True, False]


def test_what_was_counted_stays_known(known, database):
    world = World(database, Random(1))  # noqa: S311
    audience = Audience(groups=("class-101",), everyone=True)
    world.notify(datetime(2026, 1, 1, tzinfo=UTC), 20, audience=audience, community="school-1")
    world.count()
    database["notifications"].delete_many({})
    assert known.group("class-101")
    assert known.community("school-1")
    assert not known.group("class-10")
    assert not known.community("school-11")
