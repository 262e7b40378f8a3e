from dataclasses import replace

import pytest

from notify_server.domain.action import Action
from notify_server.domain.notification import Channel
from notify_server.storage.actions import Actions
from notify_server.storage.documents import Store
from tests.builders import NOON, after

SOLD = Action("sold", "ticket", (Channel.EMAIL, Channel.PUSH), NOON, "tickets", False, True, True, "events")


@pytest.fixture
def actions(database: Store) -> Actions:
    return Actions(database)


def test_an_action_comes_back_as_it_was_put_and_is_replaced(actions: Actions) -> None:
    assert actions.put(SOLD)
    assert actions.find("sold") == SOLD
    changed = replace(
        SOLD,
        channels=(Channel.PUSH,),
        category=None,
        mail_enabled=False,
        mandatory=False,
        pack=None,
        updated_at=after(9),
    )
    assert not actions.put(changed)
    assert actions.find("sold") == changed


def test_an_unknown_one_is_none(actions: Actions) -> None:
    assert actions.find("sold") is None


def test_they_are_listed_by_name_in_pages(actions: Actions) -> None:
    for name in ("c", "a", "b"):
        actions.put(replace(SOLD, name=name))
    assert [each.name for each in actions.listed("", 2)] == ["a", "b"]
    assert [each.name for each in actions.listed("b", 9)] == ["c"]
