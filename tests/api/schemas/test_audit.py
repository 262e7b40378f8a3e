from datetime import UTC, datetime

import pytest
from marshmallow import ValidationError

from notify_server.api.schemas.audit import AuditQuerySchema, LineSchema
from notify_server.domain.audit import Change, Kind, Line, Party
from notify_server.services.audit import Actor, Told
from tests.builders import NOON


def test_the_query_bounds_time_by_from_and_to() -> None:
    found = AuditQuerySchema().load({"from": "2026-12-01T09:00:00Z", "actor": "c1"})
    assert found == {"from": datetime(2026, 12, 1, 9, tzinfo=UTC), "actor": "c1", "cursor": None, "limit": 50}


@pytest.mark.parametrize("query", [{"actor": ""}, {"action": "a" * 101}, {"object": "a/b"}, {"to": "noon"}])
def test_what_cannot_be_meant_is_refused(query: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        AuditQuerySchema().load(query)


def test_a_line_without_object_and_outcome_shows_null() -> None:
    party = Party(Kind.COMMAND, "root")
    shown = LineSchema().dump(Told(Line("6b00", NOON, Change(party, "tokens.create", fields=["name"])), Actor(party)))
    assert (shown["object"], shown["route"], shown["address"], shown["status"]) == (None, None, None, None)
    assert shown["actor"] == {"kind": "command", "id": "root", "pseudonym": False, "name": None, "prefix": None}
    assert shown["fields"] == ["name"]
