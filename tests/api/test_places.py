from datetime import UTC, datetime

import pytest

from notify_server.api import paging
from notify_server.api.places import decode, encode
from notify_server.errors import InvalidInput
from notify_server.services.registry_export import Place

N = "6b007bddabf10665a8c867db"
END = datetime(2026, 11, 26, 10, 7, 1, 234_000, tzinfo=UTC)


@pytest.mark.parametrize("user", ["u1", "a:b", "ü 😀", "line\nbreak"])
def test_a_place_is_found_again_by_its_cursor(user):
    place = Place(N, user, END)
    assert decode(encode(place)) == place
    assert decode(None) is None


@pytest.mark.parametrize("text", ["u1", f"{N}:u1", f"{N}::u1", f"{N}:1:", f"{N[1:]}:1:u1", f"{N}:99999999999999:u1"])
def test_what_is_no_place_of_ours_is_refused(text):
    with pytest.raises(InvalidInput, match="cursor"):
        decode(paging.encode(text))
