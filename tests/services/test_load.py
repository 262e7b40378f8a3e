from notify_server.services.load import Page, who
from tests.builders import a_batch


def test_users_are_put_together_by_notification_in_their_order() -> None:
    parts = [("n1", ["b", "a"]), ("n2", ("c",)), ("n1", ("d",)), ("n3", [])]
    assert who(parts) == {"n1": ["b", "a", "d"], "n2": ("c",), "n3": []}


def test_what_is_put_together_leaves_its_parts_as_they_were() -> None:
    first = ["a"]
    assert who([("n1", first), ("n1", ["b"])]) == {"n1": ["a", "b"]}
    assert first == ["a"]


def test_nothing_put_together_is_nothing() -> None:
    assert who([]) == {}


def test_a_page_whose_recipients_are_to_be_read_is_not_one_without_recipients() -> None:
    batch = a_batch()
    assert Page(batch).recipients is None
    assert Page(batch) != Page(batch, ())
