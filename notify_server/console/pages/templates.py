"""Templates: listed, and one with its versions and what a reader of each locale gets."""

from typing import Any

from flask import Blueprint, render_template, url_for

from notify_server.api import paging
from notify_server.api.context import services
from notify_server.console import access, queries
from notify_server.console.headers import Framed
from notify_server.domain.template import Template
from notify_server.errors import InvalidInput, NotFound
from notify_server.services.server_tokens import Scope
from notify_server.services.templates import Preview

pages = Blueprint("templates", __name__)


@pages.get("/templates")
@access.needs(Scope.READ)
def list_all() -> str:
    """By name, each in its newest version."""
    after = queries.name_cursor()
    found = services().templates.listed(after or "", queries.PAGE + 1)
    shown, following = paging.page(found, queries.PAGE, lambda template: template.name)
    return render_template(
        "templates.html",
        listed=shown,
        first=url_for(".list_all") if after else None,
        more=url_for(".list_all", cursor=following) if following else None,
    )


@pages.get("/templates/<name>")
@access.needs(Scope.READ)
def show(name: str) -> str:
    """One version, with what it says in one of its locales, and a page of the versions."""
    asked = _asked()
    template = services().templates.get(name, asked.get("version"))
    preview, faults = _tried(template, asked.get("locale"))
    before = asked.get("before")
    found = services().templates.versions(name, before, queries.PAGE + 1)
    return render_template(
        "template.html",
        template=template,
        locale=preview.locale if preview else asked.get("locale") or template.content.default_locale,
        preview=preview,
        faults=faults,
        versions=found[: queries.PAGE],
        newest=services().templates.get(name).version,
        first=url_for(".show", name=name, _anchor="versions") if before else None,
        older=_older(name, found[queries.PAGE - 1].version) if len(found) > queries.PAGE else None,
    )


@pages.get("/templates/<name>/html")
@access.needs(Scope.READ)
def html(name: str) -> Framed:
    """The HTML of the mail that a version makes of its examples, for the frame on its page."""
    asked = _asked()
    preview = services().templates.preview(name, asked.get("locale"), None, asked.get("version"))
    shown = preview.parts["html"]
    if shown is None:
        raise NotFound("This template has no HTML.")
    return Framed(shown, mimetype="text/html")


def _asked() -> Any:
    """The values of a page's address. Raises NotFound where one can be none."""
    asked = queries.read(queries.TemplateSchema)
    if asked.faults:
        raise NotFound(f"There is no such {', '.join(asked.faults)} of this template.")
    return asked.values


def _tried(template: Template, locale: str | None) -> tuple[Preview | None, dict[str, list[str]]]:
    """What a version makes of its examples; or else what is wrong with them, by path."""
    try:
        return services().templates.preview(template.name, locale, None, template.version), {}
    except InvalidInput as error:
        return None, error.errors


def _older(name: str, before: int) -> str:
    return url_for(".show", name=name, before=before, _anchor="versions")
