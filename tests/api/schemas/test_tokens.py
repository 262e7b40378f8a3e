from datetime import UTC, datetime, timedelta

import pytest
from marshmallow import ValidationError

from notify_server.api.schemas.tokens import IssuedTokenSchema, NewTokenSchema, RotationSchema, TokenSchema
from notify_server.services.server_tokens import MAX_OVERLAP, OVERLAP, Scope


def test_a_wanted_token_names_its_scopes():
    wanted = NewTokenSchema().load({"name": "n", "scopes": ["read"], "expires_at": "2027-01-31T00:00:00Z"})
    assert wanted == {"name": "n", "scopes": [Scope.READ], "expires_at": datetime(2027, 1, 31, tzinfo=UTC)}
    with pytest.raises(ValidationError):
        NewTokenSchema().load({"name": "n", "scopes": []})


def test_a_rotation_has_an_overlap_of_a_day_unless_it_says_otherwise():
    assert RotationSchema().load({}) == {"overlap": OVERLAP, "expires": None}
    assert RotationSchema().load({"overlap": 0})["overlap"] == timedelta(0)
    assert RotationSchema().load({"overlap": int(MAX_OVERLAP.total_seconds())})["overlap"] == MAX_OVERLAP
    for overlap in (-1, int(MAX_OVERLAP.total_seconds()) + 1, True, "1"):
        with pytest.raises(ValidationError):
            RotationSchema().load({"overlap": overlap})


def test_no_hash_can_be_shown():
    fields = TokenSchema().fields.keys()
    assert not {"hash", "previous", "token"} & fields
    assert IssuedTokenSchema().fields.keys() - fields == {"token"}
