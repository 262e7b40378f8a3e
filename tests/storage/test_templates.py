import pytest

from notify_server.domain.template import Content, Source, Template, Variable, VariableType
from notify_server.errors import NotFound
from notify_server.storage.documents import Store
from notify_server.storage.templates import Templates
from tests.builders import NOON, after, at_once

FULL = Content(
    "en",
    {"en": Source("T", "B", "S", "<p>", "t"), "de-AT": Source("T", "B", "S", "<p>", "t")},
    {"a": Variable(VariableType.LIST, required=False, example=[{"n": 1}]), "b": Variable(VariableType.STRING)},
    "tickets",
    "{{ a }}",
    "https://example.org/i.png",
    {"k": "{{ b }}"},
)


def saying(title: str) -> Content:
    return Content("en", {"en": Source(title)})


@pytest.fixture
def templates(database: Store) -> Templates:
    return Templates(database)


def test_a_version_comes_back_as_it_was_written(templates: Templates) -> None:
    made = templates.add("ticket", FULL, "events", NOON)
    assert made == Template("ticket", 1, FULL, NOON, "events")
    assert templates.get("ticket", 1) == made


def test_versions_follow_each_other_and_the_older_ones_stay(templates: Templates) -> None:
    for number in range(3):
        templates.add("ticket", saying(str(number)), None, after(number))
    newest = templates.newest("ticket")
    assert newest is not None
    assert newest.version == 3
    assert [templates.get("ticket", version).content for version in (1, 2, 3)] == [
        saying("0"),
        saying("1"),
        saying("2"),
    ]


def test_two_at_once_make_two_versions(templates: Templates) -> None:
    made = at_once(*(lambda n=n: templates.add("ticket", saying(str(n)), None, NOON) for n in range(8)))
    assert sorted(template.version for template in made) == list(range(1, 9))


def test_what_is_not_there_is_not_found(templates: Templates) -> None:
    templates.add("ticket", FULL, None, NOON)
    assert templates.newest("tick") is None
    for name, version in (("ticket", 2), ("tick", 1)):
        with pytest.raises(NotFound):
            templates.get(name, version)


def test_the_list_has_the_newest_version_of_each_in_pages_by_name(templates: Templates) -> None:
    for name in ("c", "a", "b", "a"):
        templates.add(name, FULL, None, NOON)
    first = templates.listed("", 2)
    assert [(each.name, each.version, each.locales, each.category) for each in first] == [
        ("a", 2, ("de-AT", "en"), "tickets"),
        ("b", 1, ("de-AT", "en"), "tickets"),
    ]
    assert [each.name for each in templates.listed("b", 9)] == ["c"]


def test_versions_are_listed_newest_first_in_pages(templates: Templates) -> None:
    for _ in range(3):
        templates.add("a", FULL, None, NOON)
    templates.add("b", FULL, None, NOON)
    assert [each.version for each in templates.versions("a", None, 2)] == [3, 2]
    assert [each.version for each in templates.versions("a", 2, 9)] == [1]
