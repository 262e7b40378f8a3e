"""The way from page to page: those that the token of who is signed in may see."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from flask import Flask, g, request, url_for

from notify_server.console import access

_ITEMS = (
    ("overview.show", "Overview"),
    ("notifications.list_all", "Notifications"),
    ("users.search", "Why not received?"),
    ("groups.search", "Groups"),
    ("devices.show", "Devices"),
    ("health.show", "Queue and channels"),
    ("mails.list_all", "Mails"),
    ("templates.list_all", "Templates"),
    ("settings.email", "E-mail settings"),
    ("exporting.show", "Export"),
    ("sending.show", "Send a test"),
)


_WITHIN: Mapping[str | None, str] = {"caught": "mails"}  # pages that are reached from those of another


@dataclass(frozen=True, slots=True)
class Item:
    """One link; `here`: it leads to the page that is shown, or to the list that this is from."""

    label: str
    url: str
    here: bool


def install(app: Flask) -> None:
    """Give templates `navigation()`."""
    app.jinja_env.globals.update(navigation=items)


def items() -> Iterator[Item]:
    """What there is to see; nothing before the sign-in."""
    if "client" not in g:
        return
    for endpoint, label in _ITEMS:
        if access.may_see(endpoint):
            here = _WITHIN.get(request.blueprint, request.blueprint)
            yield Item(label, url_for(endpoint), here == endpoint.partition(".")[0])
