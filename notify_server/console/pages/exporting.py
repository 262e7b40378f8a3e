"""The registry as a file, with the number of records so far while it is made."""

from collections.abc import Iterator, Mapping
from typing import Any

from flask import Blueprint, Response, render_template

from notify_server.api import ndjson
from notify_server.api.context import services
from notify_server.api.schemas.people import NDJSON
from notify_server.console import access, queries
from notify_server.domain.registry import Status
from notify_server.errors import InvalidInput
from notify_server.services.registry_export import Selection
from notify_server.services.server_tokens import Scope

pages = Blueprint("exporting", __name__)


@pages.get("/export")
@access.needs(Scope.READ)
def show() -> str:
    """The form. Without script it leads straight to the file."""
    return render_template("export.html", asked=queries.read(queries.ExportSchema), states=list(Status))


@pages.get("/export/registry.ndjson")
@access.needs(Scope.READ)
def download() -> Response:
    """The file: a JSON record on each line, at last one of kind `end`."""
    asked = queries.read(queries.ExportSchema)
    if asked.faults:
        raise InvalidInput({name: [said] for name, said in asked.faults.items()})
    selection = services().registry_export.selection(queries.filters(asked, "start", "end"), None)
    answer = Response(ndjson.pieces(_lines(selection)), content_type=NDJSON)
    answer.headers["Content-Disposition"] = 'attachment; filename="registry.ndjson"'
    return answer


def _lines(selection: Selection) -> Iterator[Mapping[str, Any]]:
    return (record for record, _ in services().registry_export.records(selection, None))
