"""Templates: what notifications say, in each locale."""

from typing import Any

from notify_server.api import guards, paging
from notify_server.api.blueprint import Routes
from notify_server.api.context import services
from notify_server.api.schemas.paging import PageSchema
from notify_server.api.schemas.template import (
    PreviewedSchema,
    PreviewSchema,
    ShownTemplateSchema,
    TemplatePageSchema,
    TemplateSchema,
)
from notify_server.domain.template import Content, Template
from notify_server.errors import NotFound
from notify_server.services.server_tokens import Scope
from notify_server.services.templates import Preview

routes = Routes("templates", __name__, description="What notifications say, in each locale")

_MAX_DIGITS = 9


@routes.route("/v1/templates", methods=["GET"])
@guards.server(Scope.READ)
@routes.arguments(PageSchema, location="query")
@routes.response(200, TemplatePageSchema)
def list_all(query: dict[str, Any]) -> dict[str, Any]:
    """List the templates by name, each in its newest version."""
    shown, following = paging.listed(query, services().templates.listed, lambda template: template.name)
    return {"templates": shown, "next": following}


@routes.route("/v1/templates/<template_name>", methods=["PUT"])
@guards.server(Scope.ADMIN)
@routes.arguments(TemplateSchema)
@routes.response(200, ShownTemplateSchema)
@routes.alt_response(201, schema=ShownTemplateSchema)
def put(content: Content, template_name: str) -> tuple[Template, int]:
    """Make a new version, which notifications accepted from now on use; 201 where it is the first."""
    made = services().templates.put(template_name, content)
    return made, 201 if made.version == 1 else 200


@routes.route("/v1/templates/<template_name>", methods=["GET"])
@guards.server(Scope.READ)
@routes.response(200, ShownTemplateSchema)
def show(template_name: str) -> Template:
    """Show the newest version of a template."""
    return services().templates.get(template_name)


@routes.route("/v1/templates/<template_name>/versions", methods=["GET"])
@guards.server(Scope.READ)
@routes.arguments(PageSchema, location="query")
@routes.response(200, TemplatePageSchema)
def list_versions(query: dict[str, Any], template_name: str) -> dict[str, Any]:
    """List the versions of a template, newest first."""
    limit, before = query["limit"], paging.decode_number(query["cursor"])
    found = services().templates.versions(template_name, before, limit + 1)
    shown, following = paging.page(found, limit, lambda template: str(template.version))
    return {"templates": shown, "next": following}


@routes.route("/v1/templates/<template_name>/versions/<version>", methods=["GET"])
@guards.server(Scope.READ)
@routes.response(200, ShownTemplateSchema)
def show_version(template_name: str, version: str) -> Template:
    """Show one version of a template."""
    return services().templates.get(template_name, _number(version))


@routes.route("/v1/templates/<template_name>/preview", methods=["POST"])
@guards.server(Scope.READ)
@routes.arguments(PreviewSchema, required=False)
@routes.response(200, PreviewedSchema)
def preview(wanted: dict[str, Any], template_name: str) -> Preview:
    """Render the newest version of a template as a reader of a locale gets it; nothing is sent."""
    return services().templates.preview(template_name, wanted.get("locale"), wanted.get("variables"))


def _number(version: str) -> int:
    """Raises NotFound where it is none."""
    if not (version.isascii() and version.isdigit() and len(version) <= _MAX_DIGITS):
        raise NotFound(f"There is no version {version[:20]!r}.")
    return int(version)
