import pytest

from notify_server.domain.identity import MAX_ID, is_possible, is_writable


@pytest.mark.parametrize("value", ["u1", "a b", "ü 💥", "a.b", "...", "u" * MAX_ID])
def test_an_id_is_what_the_backend_calls_it(value: str) -> None:
    assert is_possible(value)


@pytest.mark.parametrize(
    "value", ["a/b", ".", "..", "a\0b", "a\nb", "\ud800", "a\ufffd", "a\u202eb", "\u200b"], ids=ascii
)
def test_what_could_not_stand_in_a_url_or_a_log_line_is_none(value: str) -> None:
    assert not is_writable(value)
    assert not is_possible(value)


def test_an_id_is_neither_empty_nor_endless() -> None:
    assert not is_possible("")
    assert not is_possible("u" * (MAX_ID + 1))
