from dataclasses import fields, replace

from notify_server.domain.batch import Batch, Rank, Stage
from notify_server.domain.notification import Channel
from notify_server.storage.batch_document import from_document, key_document, to_document
from notify_server.storage.documents import Store, object_id
from tests.builders import a_batch, after

FULL = a_batch(
    None,
    "u1",
    "u2",
    page="u0",
    part="1f",
    channel=Channel.REALTIME,
    rank=Rank.HIGH,
    stage=Stage.CONFIRM,
    due_at=after(5),
    resends=2,
    attempt=3,
    devices={"u2": ("phone", "tablet"), "$u.1": ("a",)},
    owner="one",
    calls=2,
    sequence=9,
)


def test_every_field_of_a_batch_survives_the_database(database: Store) -> None:
    assert all(getattr(FULL, field.name) != field.default for field in fields(Batch))
    for batch in (FULL, a_batch()):
        database["batches"].insert_one(to_document(batch))
        found = database["batches"].find_one({"_id": key_document(batch.key)})
        assert found is not None
        assert from_document(found) == batch


def test_the_order_of_the_key_is_part_of_it() -> None:
    key = replace(FULL.key, notification="6560a0000000000000000001")
    expected = [("n", object_id("6560a0000000000000000001")), ("c", "realtime"), ("k", "u0"), ("p", "1f")]
    assert list(key_document(key).items()) == expected
