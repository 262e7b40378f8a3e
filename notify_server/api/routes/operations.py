"""Probes, metrics and documentation."""

import os
from typing import Any

from flask import Response, current_app, jsonify
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client import REGISTRY as PROCESS_REGISTRY
from prometheus_client.multiprocess import MultiProcessCollector

from notify_server.api import guards
from notify_server.api.blueprint import Routes
from notify_server.api.context import services
from notify_server.api.gauges import Gauges
from notify_server.api.schemas.operations import ReadinessSchema, StatusSchema

routes = Routes("operations", __name__, description="For those who run the server")


@routes.route("/healthz", methods=["GET"])
@guards.public
@routes.response(200, StatusSchema)
def alive() -> dict[str, str]:
    """Tell that the process is alive."""
    return {"status": "alive"}


@routes.route("/readyz", methods=["GET"])
@guards.public
@routes.response(200, ReadinessSchema)
@routes.alt_response(503)
def ready() -> dict[str, Any]:
    """Tell whether requests can be served: the database answers and is migrated. And how the channels do.

    A channel in trouble leaves it at 200: what is accepted waits, and goes out when the channel works again.
    """
    health = services().health
    health.check()
    return {"status": "ready", "channels": {channel.value: found for channel, found in health.channels().items()}}


@routes.route("/metrics", methods=["GET"])
@guards.public
@routes.response(200, {"type": "string"}, content_type="text/plain")
def metrics() -> Response:
    """Give Prometheus the metrics of every process of this machine, and how queue, channels and workers are now."""
    installation = CollectorRegistry()
    installation.register(Gauges(services().health))
    return Response(_processes() + generate_latest(installation), content_type=CONTENT_TYPE_LATEST)


@routes.route("/openapi.json", methods=["GET"])
@guards.public
@routes.response(200, {"type": "object"})
def openapi() -> Response:
    """Describe this API (OpenAPI 3.1)."""
    document: dict[str, Any] = current_app.extensions["openapi"]
    return jsonify(document)


@routes.route("/asyncapi.json", methods=["GET"])
@guards.public
@routes.response(200, {"type": "object"})
def asyncapi() -> Response:
    """Describe the events of the realtime port (AsyncAPI 3.0)."""
    document: dict[str, Any] = current_app.extensions["asyncapi"]
    return jsonify(document)


def _processes() -> bytes:
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest(PROCESS_REGISTRY)
    everyone = CollectorRegistry()
    MultiProcessCollector(everyone)
    return generate_latest(everyone)
