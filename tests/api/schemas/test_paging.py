import pytest
from marshmallow import ValidationError

from notify_server.api.schemas.paging import MAX_LIMIT, PageSchema


def test_a_page_has_fifty_items_unless_told_otherwise():
    assert PageSchema().load({}) == {"cursor": None, "limit": 50}
    assert PageSchema().load({"cursor": "YQ", "limit": "200"}) == {"cursor": "YQ", "limit": MAX_LIMIT}


@pytest.mark.parametrize(
    "query", [{"limit": limit} for limit in ("0", "201", "-5", "", "ten", "1.5")] + [{"cursor": ""}]
)
def test_what_is_out_of_range_is_refused(query):
    with pytest.raises(ValidationError) as caught:
        PageSchema().load(query)
    assert caught.value.normalized_messages().keys() == query.keys()
