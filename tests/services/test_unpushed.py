import json

import pytest

from notify_server.domain.notification import Message
from notify_server.errors import InvalidInput
from notify_server.services import unpushed


def test_keys_of_data_that_are_ours_are_refused_by_name() -> None:
    with pytest.raises(InvalidInput) as caught:
        unpushed.check(Message("T", data={"link": "x", "category": "y", "notification_id": "z", "k": "v"}))
    assert caught.value.errors.keys() == {f"message.data.{key}" for key in ("link", "category", "notification_id")}


@pytest.mark.parametrize("key", ["Link", "links", "google.x", "from"])
def test_others_are_the_apps(key: str) -> None:
    unpushed.check(Message(data={key: "v"}))


@pytest.mark.parametrize("character", ["x", "ä", "\U0001f600", '"', "\0"])
def test_a_message_has_at_most_so_many_bytes(character: str) -> None:
    bytes_each = len(json.dumps(character, ensure_ascii=False).encode()) - 2
    rest, least = divmod(unpushed.MAX_SIZE - len(b'{"data":{"k":""}}'), bytes_each)
    unpushed.check(Message(data={"k": character * rest + "x" * least}))
    with pytest.raises(InvalidInput) as caught:
        unpushed.check(Message(data={"k": character * rest + "x" * (least + 1)}))
    assert caught.value.errors == {"message": ["Has 65537 bytes as JSON; may have 65536."]}


def test_every_field_of_a_message_counts() -> None:
    for name in ("title", "body", "image", "link"):
        with pytest.raises(InvalidInput):
            unpushed.check(Message(**{name: "x" * unpushed.MAX_SIZE}))  # type: ignore[arg-type]
