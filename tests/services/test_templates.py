from dataclasses import replace
from typing import Any

import pytest

from notify_server.domain.template import Content, Source, Variable, VariableType
from notify_server.errors import InvalidInput, NotFound
from notify_server.services.templates import Templates
from tests.builders import NOON
from tests.services.scene import Scene

CONTENT = Content(
    "en",
    {"en": Source("Hello {{ name }}", text="T"), "de": Source("Hallo {{ name }}", text="T")},
    {"name": Variable(VariableType.STRING, example="Ada")},
)


@pytest.fixture
def templates(scene: Scene) -> Templates:
    return scene.services.templates


def saying(title: str) -> Content:
    return replace(CONTENT, locales={"en": Source(title)})


def test_each_put_makes_a_version_and_the_newest_is_shown(templates: Templates) -> None:
    assert templates.put("t", CONTENT).version == 1
    made = templates.put("t", saying("Bye"))
    assert (made.version, made.created_at, made.pack) == (2, NOON, None)
    assert templates.get("t") == made
    assert templates.get("t", 1).content == CONTENT
    assert [each.version for each in templates.versions("t", None, 9)] == [2, 1]
    assert [(each.name, each.version) for each in templates.listed("", 9)] == [("t", 2)]


@pytest.mark.parametrize(
    "call", [lambda t: t.get("t"), lambda t: t.versions("t", None, 9), lambda t: t.preview("t", None, {})]
)
def test_an_unknown_one_is_not_found(templates: Templates, call: Any) -> None:
    with pytest.raises(NotFound):
        call(templates)


def test_one_that_is_at_fault_is_refused_with_everything_and_not_stored(templates: Templates) -> None:
    bad = replace(saying("{{ x }}"), variables={"at": Variable(VariableType.DATETIME, example="noon")})
    with pytest.raises(InvalidInput) as refusal:
        templates.put("t", bad)
    assert refusal.value.errors.keys() == {"locales.en.title", "variables.at.example"}
    assert templates.listed("", 9) == []


@pytest.mark.parametrize(("locale", "shown"), [("de-AT", "de"), ("en", "en"), ("fr", "en"), (None, "en")])
def test_a_preview_is_what_a_reader_of_that_locale_gets(templates: Templates, locale: str | None, shown: str) -> None:
    templates.put("t", CONTENT)
    preview = templates.preview("t", locale, {"name": "Bob"})
    assert preview.locale == shown
    assert preview.parts["title"] == {"en": "Hello Bob", "de": "Hallo Bob"}[shown]
    assert (preview.parts["text"], preview.parts["html"], preview.parts["body"]) == ("T", None, None)


def test_a_preview_of_an_older_version_is_that_of_it(templates: Templates) -> None:
    templates.put("t", CONTENT)
    templates.put("t", saying("Bye"))
    assert templates.preview("t", None, None).parts["title"] == "Bye"
    assert templates.preview("t", "de", None, 1).parts["title"] == "Hallo Ada"
    with pytest.raises(NotFound):
        templates.preview("t", None, None, 3)


@pytest.mark.parametrize("version", [1, 2])
def test_a_version_is_read_and_compiled_once_however_often_it_is_looked_at(templates: Templates, version: int) -> None:
    templates.put("t", CONTENT)
    templates.put("t", saying("Bye"))
    first = templates.preview("t", None, None, version).template
    assert first.version == version
    assert templates.preview("t", None, None, version).template is first


def test_the_newest_is_the_same_one_whether_it_is_asked_for_by_its_number_or_not(templates: Templates) -> None:
    templates.put("t", CONTENT)
    assert templates.preview("t", None, None, 1).template is templates.preview("t", None, None).template


def test_a_preview_without_variables_shows_the_examples(templates: Templates) -> None:
    templates.put("t", CONTENT)
    assert templates.preview("t", None, None).parts["title"] == "Hello Ada"
    with pytest.raises(InvalidInput) as refusal:
        templates.preview("t", None, {})
    assert refusal.value.errors.keys() == {"variables.name"}


def test_fields_of_the_user_are_named_in_a_preview(templates: Templates) -> None:
    templates.put("t", saying("Hi {{ user.id }}"))
    assert templates.preview("t", None, None).parts["title"] == "Hi {{ user.id }}"


def test_the_newest_version_is_rendered_also_right_after_it_was_made(templates: Templates) -> None:
    for number in range(3):
        templates.put("t", saying(f"{number}"))
        made, rendered = templates.render("t", {"name": "x"}, mails=False)
        assert (made.version, rendered.message.title) == (number + 1, str(number))


def test_a_version_that_was_made_again_after_a_restore_is_not_taken_for_the_one_before(
    templates: Templates, scene: Scene
) -> None:
    templates.put("t", saying("before"))
    assert templates.render("t", {"name": "x"}, mails=False)[1].message.title == "before"
    scene.database["templates"].delete_many({})
    templates.put("t", saying("after"))
    assert templates.render("t", {"name": "x"}, mails=False)[1].message.title == "after"


def test_a_preview_renders_nothing_but_its_locale(templates: Templates) -> None:
    german = Source("Hallo {{ name | date }}", text="T")
    templates.put("t", replace(CONTENT, locales={**CONTENT.locales, "de": german}))
    assert templates.preview("t", "en", None).parts["title"] == "Hello Ada"
    with pytest.raises(InvalidInput) as refusal:
        templates.preview("t", "de", None)
    assert refusal.value.errors.keys() == {"locales.de.title"}
