from datetime import UTC, datetime

import pytest
from marshmallow import ValidationError

from notify_server.api.schemas.registry_export import ExportQuerySchema
from notify_server.domain.registry import Status


def test_filters_are_read():
    query = {"from": "2026-11-01T00:00:00Z", "status": "read", "group": "choir", "cursor": "x", "notification": "n"}
    assert ExportQuerySchema().load(query) == {
        "start": datetime(2026, 11, 1, tzinfo=UTC),
        "status": Status.READ,
        "group": "choir",
        "cursor": "x",
        "notification": "n",
    }
    assert ExportQuerySchema().load({}) == {}


@pytest.mark.parametrize("query", [{"status": "lost"}, {"to": "now"}, {"user": "u1"}, {"cursor": ""}])
def test_others_are_refused(query):
    with pytest.raises(ValidationError):
        ExportQuerySchema().load(query)
