"""Installing a pack: what is not there is made, what came from it before is brought up to date, the rest stays."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from notify_server.domain.action import Action
from notify_server.domain.template import Template
from notify_server.errors import NotFound
from notify_server.services import packs
from notify_server.services.actions import Actions
from notify_server.services.packs import Pack, Piece
from notify_server.services.templates import Templates


class Outcome(StrEnum):
    """What became of a template or an action."""

    NEW = "new"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    KEPT = "kept"  # somebody has changed it, or written one of that name: it stays theirs


@dataclass(frozen=True, slots=True)
class Installed:
    """One template or action of a pack."""

    kind: str
    name: str
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Installing:
    """Writes packs through the services that admins use, so that they are checked as theirs are."""

    templates: Templates
    actions: Actions

    def install(self, name: str, *, force: bool = False) -> list[Installed]:
        """Install a pack, again if need be; `force`: also over what somebody has changed. Raises NotFound."""
        pack = packs.load(name)
        return [each for piece in pack.pieces for each in self._install(pack, piece, force=force)]

    def _install(self, pack: Pack, piece: Piece, *, force: bool) -> Iterator[Installed]:
        template = self._template(piece.name)
        outcome = _outcome(pack, template, same=template is not None and template.content == piece.content, force=force)
        if outcome in {Outcome.NEW, Outcome.UPDATED}:
            self.templates.put(piece.name, piece.content, pack.name)
        yield Installed("template", piece.name, outcome)
        action = self.actions.find(piece.name)
        outcome = _outcome(pack, action, same=action is not None and _same(action, piece.action), force=force)
        if outcome in {Outcome.NEW, Outcome.UPDATED}:
            self.actions.put(piece.action)
        yield Installed("action", piece.name, outcome)

    def _template(self, name: str) -> Template | None:
        try:
            return self.templates.get(name)
        except NotFound:
            return None


def _outcome(pack: Pack, present: Template | Action | None, *, same: bool, force: bool) -> Outcome:
    if present is None:
        return Outcome.NEW
    if same:
        return Outcome.UNCHANGED
    return Outcome.UPDATED if force or present.pack == pack.name else Outcome.KEPT


def _same(present: Action, other: Action) -> bool:
    """Whether two actions do the same, whoever has set them, and whenever."""
    return present == replace(other, updated_at=present.updated_at, pack=present.pack)
