from datetime import UTC, datetime

from notify_server.services.clock import utc_now
from notify_server.storage.documents import Store


def test_the_time_is_aware_in_utc_and_now() -> None:
    before = datetime.now(UTC)
    now = utc_now()
    assert now.tzinfo is UTC
    assert before.replace(microsecond=before.microsecond // 1000 * 1000) <= now <= datetime.now(UTC)


def test_the_time_survives_the_database_unchanged(database: Store) -> None:
    now = utc_now()
    database["times"].insert_one({"_id": 1, "at": now})
    assert database["times"].find_one() == {"_id": 1, "at": now}
