import pytest

from notify_server.api.jsonapi.errors import MAX_FAULTS
from notify_server.api.limits import SMALL
from tests.api.jsonapi.speaker import MEDIA_TYPE, MINE, faulty, one


@pytest.mark.parametrize(
    ("body", "status", "pointers"),
    [
        (b"", 400, []),
        (b"{", 400, []),
        (b"\xff", 400, []),
        (b"NaN", 400, []),
        (b"[" * 10_000, 400, []),
        (b"[]", 422, [""]),
        (b"null", 422, [""]),
        (b"{}", 422, [""]),
        (b'{"data": null}', 422, ["/data"]),
        (b'{"data": []}', 422, ["/data"]),
        (b'{"data": {}}', 422, ["/data", "/data"]),
        (b'{"data": {"type": 1, "id": {}}}', 422, ["/data/type", "/data/id"]),
        (b'{"data": {"type": "notification", "id": "x", "attributes": 5}}', 422, ["/data/attributes"]),
        (b'{"data": {"type": "notification", "type": "user", "id": "x"}}', 422, ["/data/type"]),
        (rb'{"data": {"type": "\u0000", "id": "\ud800"}}', 422, ["/data/type", "/data/id"]),
        (b'{"data": {"attributes": {"a/b~c.d": "\\u0000"}}}', 422, ["/data/attributes/a~1b~0c.d"]),
    ],
)
def test_a_body_that_is_no_document_is_refused_where_it_is_wrong(phone, enter, body, status, pointers):
    answer = phone("PATCH", one(enter()), data=body, content_type=MEDIA_TYPE)
    faulty(answer, status, *pointers)


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("include=notification", "include"),
        ("include=user.notifications", "include"),
        ("include=user,,user", "include"),
        ("fields[notification]=title,secret", "fields[notification]"),
        ("fields[user]=groups", "fields[user]"),
        ("fields[device]=id", "fields[device]"),
        ("page[offset]=1", "page[offset]"),
        ("page[size]=0", "page[size]"),
        ("page[size]=x", "page[size]"),
        ("page[number]=0", "page[number]"),
        ("page[number]=-1", "page[number]"),
        ("page=1", "page"),
        ("filter[title]=x", "filter[title]"),
        ("limit=5", "limit"),
        ("Sort=is-read", "Sort"),
        ("sort=is-read&sort=is-read", "sort"),
        ("=", ""),
    ],
)
def test_a_parameter_that_is_unknown_or_cannot_be_is_named(phone, query, parameter):
    faulty(phone.get(f"{MINE}?{query}"), 400, parameter)


def test_what_is_for_lists_is_unknown_elsewhere(phone, enter):
    made = one(enter())
    for name in ("sort", "filter[is-read]", "page[size]"):
        faulty(phone.get(f"{made}?{name}=1"), 400, name)
    faulty(phone.get(f"{made}/user?include=user"), 400, "include")


def test_every_fault_of_a_query_is_named_at_once(phone):
    faulty(phone.get(f"{MINE}?x=1&sort=y&page[size]=z"), 400, "x", "sort", "page[size]")


def test_a_body_that_is_too_large_is_an_error_document(phone, enter):
    faulty(phone("PATCH", one(enter()), data=b" " * (SMALL + 1), content_type=MEDIA_TYPE), 413)


def test_many_faults_are_shown_in_part(phone, enter):
    body = b'{"data": [' + b", ".join([rb'"\ud800"'] * 500) + b"]}"
    answer = phone("PATCH", one(enter()), data=body, content_type=MEDIA_TYPE)
    faulty(answer, 422, *(f"/data/{number}" for number in range(MAX_FAULTS)))
