from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from notify_server.config import Config
from notify_server.errors import DatabaseUnavailable
from notify_server.services.clock import database_clock, utc_now
from notify_server.storage.database import connect
from notify_server.storage.documents import Store
from tests.fcm_simulator import free_port


def test_the_time_is_aware_in_utc_and_now() -> None:
    before = datetime.now(UTC)
    now = utc_now()
    assert now.tzinfo is UTC
    assert before.replace(microsecond=before.microsecond // 1000 * 1000) <= now <= datetime.now(UTC)


def test_the_time_survives_the_database_unchanged(database: Store) -> None:
    now = utc_now()
    database["times"].insert_one({"_id": 1, "at": now})
    assert database["times"].find_one() == {"_id": 1, "at": now}


def test_the_clock_of_a_database_is_known_as_soon_as_it_is_asked_and_follows_no_machine(config: Config) -> None:
    database = connect(config)
    now = database_clock(database)()
    told = database.client.admin.command("hello")["localTime"].replace(tzinfo=UTC)
    assert timedelta(0) <= told - now < timedelta(seconds=5)
    assert now.tzinfo is UTC
    database.client.close()


def test_without_a_database_nobody_knows_the_time(config: Config) -> None:
    database = connect(replace(config, mongodb_uri=f"mongodb://127.0.0.1:{free_port()}/?serverSelectionTimeoutMS=100"))
    with pytest.raises(DatabaseUnavailable):
        database_clock(database)()
    database.client.close()
