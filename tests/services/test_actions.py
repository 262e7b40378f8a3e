from dataclasses import replace

import pytest

from notify_server.domain.action import Action
from notify_server.domain.notification import Channel
from notify_server.domain.template import Content, Source
from notify_server.errors import InvalidInput
from tests.builders import NOON, after
from tests.services.scene import Scene

SOLD = Action("sold", "ticket", (Channel.PUSH,), after(-9))


def test_an_action_names_a_template_that_is_there(scene: Scene) -> None:
    with pytest.raises(InvalidInput) as refusal:
        scene.services.actions.put(SOLD)
    assert refusal.value.errors.keys() == {"template"}
    assert scene.services.actions.find("sold") is None


def test_it_is_stored_with_its_time_and_replaced(scene: Scene) -> None:
    actions = scene.services.actions
    scene.services.templates.put("ticket", Content("en", {"en": Source("T")}))
    assert actions.put(SOLD) == (replace(SOLD, updated_at=NOON), True)
    scene.clock.forward(5)
    assert actions.put(replace(SOLD, mail_enabled=False))[1] is False
    assert actions.find("sold") == replace(SOLD, mail_enabled=False, updated_at=after(5))
    assert [each.name for each in actions.listed("", 9)] == ["sold"]
