"""Actions: the catalogue of what can happen, and how users are told of it."""

from dataclasses import dataclass, replace

from notify_server.domain.action import Action
from notify_server.errors import InvalidInput
from notify_server.services.clock import Clock
from notify_server.storage.actions import Actions as Store
from notify_server.storage.templates import Templates as TemplateStore


@dataclass(frozen=True, slots=True)
class Actions:
    """Reads and changes the catalogue."""

    store: Store
    templates: TemplateStore
    clock: Clock

    def put(self, action: Action) -> tuple[Action, bool]:
        """Store an action, and whether it is new. Raises InvalidInput where there is no such template."""
        if self.templates.newest(action.template) is None:
            raise InvalidInput({"template": [f"There is no template {action.template!r}."]})
        stored = replace(action, updated_at=self.clock())
        return stored, self.store.put(stored)

    def find(self, name: str) -> Action | None:
        """One action."""
        return self.store.find(name)

    def listed(self, after: str, limit: int) -> list[Action]:
        """Some actions in order of their names, from the one after `after`."""
        return self.store.listed(after, limit)
