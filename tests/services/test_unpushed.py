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
