import pytest
from marshmallow import ValidationError

from notify_server.api.schemas.template import PreviewSchema, TemplateSchema
from notify_server.domain.template import Content, Source, Variable, VariableType


def test_what_is_left_out_has_its_default():
    assert TemplateSchema().load({"locales": {"de_at": {"title": "T"}}}) == Content("de-AT", {"de-AT": Source("T")})
    assert PreviewSchema().load({}) == {"locale": None, "variables": None}


def test_a_variable_is_a_required_string_unless_it_says_otherwise():
    loaded = TemplateSchema().load(
        {"locales": {"en": {"title": "T"}}, "variables": {"a": {}, "b": {"type": "list", "required": False}}}
    )
    assert loaded.variables == {"a": Variable(VariableType.STRING), "b": Variable(VariableType.LIST, required=False)}


def test_english_is_the_default_where_it_is_there():
    assert TemplateSchema().load({"locales": {"de": {"title": "T"}, "EN": {"title": "T"}}}).default_locale == "en"


@pytest.mark.parametrize("count", [0, 51])
def test_locales_are_bounded(count):
    tags = [f"{first}{second}" for first in "abcdefg" for second in "abcdefghij"]
    with pytest.raises(ValidationError):
        TemplateSchema().load({"locales": {tag: {"title": "T"} for tag in tags[:count]}, "default_locale": "aa"})


def test_sources_come_in_one_normal_form():
    assert TemplateSchema().load({"locales": {"en": {"title": "a\u0308"}}}).locales["en"].title == "\xe4"
