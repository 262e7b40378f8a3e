"""What a payload says, by which channels: its own message, or what a template or an action makes of its variables."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from notify_server.domain.action import Action
from notify_server.domain.notification import Channel, Message
from notify_server.domain.template import Template
from notify_server.domain.texts import Mail, Texts
from notify_server.errors import InvalidInput, NotFound
from notify_server.services.actions import Actions
from notify_server.services.rendering import Rendered
from notify_server.services.templates import Templates

_USUAL = (Channel.PUSH,)


@dataclass(frozen=True, slots=True)
class Order:
    """What a payload asks for: a message, a template or an action by name; channels and more, where it says so."""

    message: Message | None = None
    template: str | None = None
    action: str | None = None
    variables: Mapping[str, Any] = field(default_factory=dict, repr=False)
    channels: tuple[Channel, ...] | None = None
    category: str | None = None
    mandatory: bool | None = None

    @property
    def named(self) -> str:
        """The field that says what is sent."""
        return next((name for name in ("template", "action") if getattr(self, name) is not None), "message")


@dataclass(frozen=True, slots=True)
class Composed:
    """What is sent; `disabled`: its action is, on every channel, so that nobody is sent anything."""

    message: Message
    channels: tuple[Channel, ...]
    category: str | None = None
    mandatory: bool = False
    disabled: bool = False
    texts: Texts | None = None
    mails: Mapping[str, Mail] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Composition:
    """Turns orders into what is sent."""

    templates: Templates
    actions: Actions

    def compose(self, order: Order) -> Composed:
        """Raises InvalidInput naming `template`, `action` or the variables at fault."""
        if order.message is not None:
            return Composed(order.message, order.channels or _USUAL, order.category, bool(order.mandatory))
        action = None if order.action is None else self._action(order.action)
        wanted = order.channels or (action.channels if action else _USUAL)
        channels = action.enabled(wanted) if action else wanted
        template, rendered = self._rendered(order, action, mails=Channel.EMAIL in channels)
        category = order.category or (action and action.category) or template.content.category
        return Composed(
            message=rendered.message,
            channels=channels or wanted,
            category=category,
            mandatory=_mandatory(order, action),
            disabled=not channels,
            texts=rendered.texts,
            mails=rendered.mails,
        )

    def _action(self, name: str) -> Action:
        found = self.actions.find(name)
        if found is None:
            raise InvalidInput({"action": [f"There is no action {name!r}."]})
        return found

    def _rendered(self, order: Order, action: Action | None, *, mails: bool) -> tuple[Template, Rendered]:
        name = action.template if action else order.template or ""
        try:
            return self.templates.render(name, order.variables, mails=mails)
        except NotFound as error:
            raise InvalidInput({order.named: [str(error)]}) from None
        except InvalidInput as error:
            raise InvalidInput(under(order.named, error.errors)) from None


def _mandatory(order: Order, action: Action | None) -> bool:
    if order.mandatory is not None:
        return order.mandatory
    return action is not None and action.mandatory


def under(named: str, errors: Mapping[str, list[str]], prefix: str = "") -> dict[str, list[str]]:
    """Faults as the payload knows them: what is wrong with a part of a template is told of the field that named it."""
    found: dict[str, list[str]] = {}
    for path, messages in errors.items():
        if path.split(".")[0] == "variables" or path == "ttl":
            found[path] = messages
        else:
            found.setdefault(named, []).extend(f"{prefix}{path}: {message}" for message in messages)
    return found
