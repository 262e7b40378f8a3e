import pytest
from marshmallow import ValidationError

from notify_server.api.schemas.inbox import MarkReadSchema, ReadMarkSchema
from notify_server.services.inbox import Marked


def test_names_or_everything_can_be_marked():
    assert MarkReadSchema().load({"all": True}) == Marked()
    assert MarkReadSchema().load({"all": True, "groups": [], "categories": [], "before": None}) == Marked()
    assert MarkReadSchema().load({"groups": ["g"]}) == Marked(groups=["g"])
    assert MarkReadSchema().load({"groups": ["g"], "categories": ["c"]}) == Marked(["g"], ["c"])


@pytest.mark.parametrize("body", [{}, {"groups": []}, {"all": False}, {"all": True, "groups": ["g"]}])
def test_nothing_or_both_cannot(body):
    with pytest.raises(ValidationError) as refused:
        MarkReadSchema().load(body)
    assert list(refused.value.messages) == ["all"]


@pytest.mark.parametrize("value", [1, "true", None, []])
def test_a_mark_is_true_or_false(value):
    with pytest.raises(ValidationError):
        ReadMarkSchema().load({"is_read": value})
