import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify_server.api import paging
from notify_server.errors import InvalidInput


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_cursor_leads_back_to_the_item_and_fits_a_url(last):
    cursor = paging.encode(last)
    assert paging.decode(cursor) == last
    assert set(cursor) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


@pytest.mark.parametrize("cursor", ["!", "a", "YQ==", "Y Q", "YR", "_w", "ä", "YQ\n", "%"])
def test_what_we_did_not_make_is_no_cursor(cursor):
    with pytest.raises(InvalidInput) as caught:
        paging.decode(cursor)
    assert caught.value.errors.keys() == {"cursor"}


@pytest.mark.parametrize("last", ["", "u1", "g" * 24, "a" * 23, "A" * 24])
def test_a_cursor_of_another_list_is_none_of_notifications(last):
    with pytest.raises(InvalidInput):
        paging.decode_notification(paging.encode(last))


def test_no_cursor_is_the_beginning():
    assert paging.decode(None) is None
    assert paging.decode_notification(None) is None


def test_a_page_has_a_cursor_only_where_there_is_more():
    assert paging.page(["a", "b", "c"], 2, str) == (["a", "b"], paging.encode("b"))
    assert paging.page(["a", "b"], 2, str) == (["a", "b"], None)
    assert paging.page([], 2, str) == ([], None)


def test_a_list_goes_on_after_its_cursor_and_asks_for_one_more_than_it_shows():
    names = ["a", "b", "c", "d"]
    asked = []

    def find(after: str, limit: int) -> list[str]:
        asked.append((after, limit))
        return [name for name in names if name > after][:limit]

    first, cursor = paging.listed({"limit": 3, "cursor": None}, find, str)
    assert (first, paging.listed({"limit": 3, "cursor": cursor}, find, str)) == (["a", "b", "c"], (["d"], None))
    assert asked == [("", 4), ("c", 4)]
