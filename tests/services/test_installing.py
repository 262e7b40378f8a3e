from collections import Counter
from dataclasses import replace

import pytest

from notify_server.errors import NotFound
from notify_server.services.installing import Installing, Outcome
from notify_server.services.packs import load
from tests.services.scene import Scene

PIECES = load("events").pieces
NAME = "ticket_purchased"


@pytest.fixture
def installing(scene: Scene) -> Installing:
    return scene.services.packs


def outcomes(installing: Installing, *, force: bool = False) -> Counter[str]:
    return Counter(each.outcome.value for each in installing.install("events", force=force))


def of(installing: Installing, kind: str, *, force: bool = False) -> Outcome:
    [found] = [e.outcome for e in installing.install("events", force=force) if (e.kind, e.name) == (kind, NAME)]
    return found


def test_everything_is_installed_and_once(installing: Installing, scene: Scene) -> None:
    assert outcomes(installing) == {"new": 2 * len(PIECES)}
    assert outcomes(installing) == {"unchanged": 2 * len(PIECES)}
    for piece in PIECES:
        template = scene.services.templates.get(piece.name)
        assert (template.version, template.pack, template.content) == (1, "events", piece.content)
        action = scene.services.actions.find(piece.name)
        assert action is not None
        assert (action.template, action.channels) == (piece.name, piece.action.channels)


def test_what_somebody_has_changed_is_kept_unless_forced(installing: Installing, scene: Scene) -> None:
    installing.install("events")
    content = scene.services.templates.get(NAME).content
    scene.services.templates.put(NAME, replace(content, category="mine"))
    action = scene.services.actions.find(NAME)
    assert action is not None
    scene.services.actions.put(replace(action, mail_enabled=False, pack=None))
    assert (of(installing, "template"), of(installing, "action")) == (Outcome.KEPT, Outcome.KEPT)
    assert scene.services.templates.get(NAME).content.category == "mine"
    assert outcomes(installing, force=True) == {"updated": 2, "unchanged": 2 * len(PIECES) - 2}
    assert scene.services.templates.get(NAME).content == content
    assert scene.services.templates.get(NAME).version == 3


def test_what_an_older_pack_has_left_is_brought_up_to_date(installing: Installing, scene: Scene) -> None:
    installing.install("events")
    content = scene.services.templates.get(NAME).content
    scene.services.templates.put(NAME, replace(content, category="old"), "events")
    assert of(installing, "template") is Outcome.UPDATED
    assert scene.services.templates.get(NAME).content == content


def test_an_action_that_could_be_muted_in_an_older_pack_no_longer_can(installing: Installing, scene: Scene) -> None:
    installing.install("events")
    action = scene.services.actions.find("password_reset")
    assert action is not None
    assert action.mandatory
    scene.services.actions.put(replace(action, mandatory=False))
    assert outcomes(installing) == {"updated": 1, "unchanged": 2 * len(PIECES) - 1}
    assert scene.services.actions.find("password_reset") == action


def test_a_template_of_that_name_that_was_there_before_stays(installing: Installing, scene: Scene) -> None:
    scene.services.templates.put(NAME, replace(PIECES[0].content, category="mine"))
    assert of(installing, "template") is Outcome.KEPT


def test_an_unknown_pack_is_not_found(installing: Installing) -> None:
    with pytest.raises(NotFound):
        installing.install("nothing")
