"""The export, of which tests/services/test_registry_export.py tries every filter."""

import json
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from tests.api.caller import refused
from tests.statistics_world import World


@pytest.fixture
def world(database):
    made = World(database, Random(4), tuple(f"ü {number:03}" for number in range(300)))  # noqa: S311 - not a secret
    for day in range(10):
        made.notify(datetime(2026, 10, 21, tzinfo=UTC) + timedelta(days=day), 150)
    return made


def lines(answer):
    assert answer.status_code == 200
    return [json.loads(line) for line in answer.text.splitlines()]


def test_it_is_a_stream_of_lines_with_an_end(backend, world):
    answer = backend.get("/v1/registry/export")
    assert answer.mimetype == "application/x-ndjson"
    assert answer.headers["Cache-Control"] == "no-store"
    first, *entries, last = lines(answer)
    assert first["kind"] == "export"
    assert last == {"kind": "end", "complete": True, "entries": 1500}
    assert len({(entry["notification_id"], entry["user_id"]) for entry in entries}) == 1500


def test_from_the_cursor_of_any_line_on_it_goes_on_there(backend, world):
    query = "from=2026-10-23T00:00:00Z&to=2026-10-29T12:00:00Z"
    whole = lines(backend.get(f"/v1/registry/export?{query}"))
    for number in (1, 2, 150, 151, len(whole) - 2):
        rest = lines(backend.get(f"/v1/registry/export?{query}&cursor={whole[number]['cursor']}"))
        assert rest[1:-1] == whole[number + 1 : -1]
        assert rest[-1]["entries"] == len(whole) - 2 - number


def test_filters_narrow_it(backend, world):
    notification = min(world.notifications)
    found = lines(backend.get(f"/v1/registry/export?notification={notification}&status=read"))[1:-1]
    assert found
    assert {(entry["notification_id"], entry["status"]) for entry in found} == {(notification, "read")}
    refused(backend.get(f"/v1/registry/export?notification={'0' * 24}"), 422, "notification")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("status=lost", "status"),
        ("from=now", "from"),
        ("cursor=dTE", "cursor"),
        ("cursor=!", "cursor"),
        ("limit=5", "limit"),
        ("group=a/b", "group"),
    ],
)
def test_a_bad_query_is_refused_by_field(backend, query, field):
    refused(backend.get(f"/v1/registry/export?{query}"), 422, field)
