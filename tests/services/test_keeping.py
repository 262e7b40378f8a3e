import pytest

from notify_server.services.keeping import Keeping


class Maker:
    """Makes texts, and counts how often."""

    def __init__(self) -> None:
        self.made: list[str] = []

    def __call__(self, text: str) -> str:
        self.made.append(text)
        return text


def test_a_value_is_made_once() -> None:
    keeping, maker = Keeping[str](10, len), Maker()
    assert [keeping.get("a", lambda: maker("aaa")) for _ in range(3)] == ["aaa"] * 3
    assert maker.made == ["aaa"]


def test_those_asked_for_least_lately_make_room_for_a_large_one() -> None:
    keeping, maker = Keeping[str](10, len), Maker()
    for text in ("aaa", "bbb", "ccc", "aaa", "dddddd", "aaa", "ccc"):
        keeping.get(text[0], lambda text=text: maker(text))  # type: ignore[misc]
    assert maker.made == ["aaa", "bbb", "ccc", "dddddd", "ccc"]


def test_one_that_is_too_large_is_made_each_time_and_leaves_room() -> None:
    keeping, maker = Keeping[str](3, len), Maker()
    for text in ("xxxx", "xxxx", "a", "a"):
        assert keeping.get(text, lambda text=text: maker(text)) == text  # type: ignore[misc]
    assert maker.made == ["xxxx", "xxxx", "a"]


def test_what_cannot_be_made_is_not_kept() -> None:
    keeping = Keeping[str](3, len)
    with pytest.raises(LookupError):
        keeping.get("a", lambda: {}["a"])
    assert keeping.get("a", lambda: "b") == "b"
