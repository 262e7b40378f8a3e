from notify_server.storage.documents import Store
from notify_server.storage.snapshots import Snapshots


def test_what_is_written_later_is_not_seen(database: Store) -> None:
    leases = database["leases"]
    leases.insert_one({"_id": "one"})
    with Snapshots(database).session() as session:
        assert leases.count_documents({}, session=session) == 1
        leases.insert_one({"_id": "other"})
        database["resends"].insert_one({"_id": "other"})
        assert leases.count_documents({}, session=session) == 1
        assert database["resends"].count_documents({}, session=session) == 0
    assert leases.count_documents({}) == 2
