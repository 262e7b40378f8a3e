"""The registry as a whole."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from flask import Response

from notify_server.api import guards, ndjson
from notify_server.api.blueprint import Routes
from notify_server.api.context import services
from notify_server.api.places import decode, encode
from notify_server.api.schemas.people import NDJSON
from notify_server.api.schemas.registry_export import REGISTRY_EXPORT, ExportQuerySchema
from notify_server.services.registry_export import Place
from notify_server.services.server_tokens import Scope

routes = Routes("registry", __name__, description="Every entry of every notification")


@routes.route("/v1/registry/export", methods=["GET"])
@guards.server(Scope.READ)
@routes.arguments(ExportQuerySchema, location="query")
@routes.response(200, REGISTRY_EXPORT, content_type=NDJSON)
def export(query: dict[str, Any]) -> Response:
    """Export registry entries: a JSON record on each line, at last one of kind `end`; any number, from any line on."""
    place = decode(query.pop("cursor", None))
    selection = services().registry_export.selection(query, place)
    records = services().registry_export.records(selection, place)
    answer = Response(ndjson.pieces(_lines(records)), content_type=NDJSON)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _lines(records: Iterable[tuple[Mapping[str, Any], Place | None]]) -> Iterator[Mapping[str, Any]]:
    """The records as they are written, each entry with the cursor from which to go on after it."""
    for record, found in records:
        yield record if found is None else {**record, "cursor": encode(found)}
