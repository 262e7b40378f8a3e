import pytest
from marshmallow import ValidationError

from notify_server.api.schemas.jsonapi_query import ListQuerySchema
from notify_server.services.inbox import View
from notify_server.services.inbox_pages import Order

NOTHING = {"number": 1, "size": 20, "sort": Order(), "view": View.ALL, "include": None} | dict.fromkeys(
    ("notifications", "users")
)


@pytest.mark.parametrize(
    ("query", "read"),
    [
        ({}, {}),
        ({"page[number]": "3", "page[size]": "200"}, {"number": 3, "size": 200}),
        ({"sort": "received-at"}, {"sort": Order(newest_first=False)}),
        ({"sort": "is-read"}, {"sort": Order(newest_first=True, read_first=False)}),
        ({"sort": "-is-read,received-at"}, {"sort": Order(newest_first=False, read_first=True)}),
        ({"filter[is-read]": "false"}, {"view": View.UNREAD}),
        ({"filter": '[{"name": "is_read", "op": "eq", "val": true}]'}, {"view": View.READ}),
        ({"filter": "[]", "filter[is-read]": "true"}, {"view": View.READ}),
        ({"include": "user"}, {"include": {"user"}}),
        ({"include": ""}, {"include": frozenset()}),
        ({"fields[notification]": "title,user"}, {"notifications": {"title", "user"}}),
        ({"fields[user]": ""}, {"users": frozenset()}),
    ],
)
def test_a_query_is_read(query, read):
    assert ListQuerySchema().load(query) == NOTHING | read


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("page[number]", "0"),
        ("page[size]", "201"),
        ("sort", "-"),
        ("sort", "is-read,is-read,received-at"),
        ("filter[is-read]", "True"),
        ("filter", "null"),
        ("filter", "[" * 5000),
        ("include", "user,"),
        ("fields[notification]", "Title"),
        ("fields[user]", "groups"),
        ("page", "1"),
    ],
)
def test_what_is_refused_is_named(name, value):
    with pytest.raises(ValidationError) as refusal:
        ListQuerySchema().load({name: value})
    assert list(refusal.value.normalized_messages()) == [name]
