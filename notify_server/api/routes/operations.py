"""Probes, metrics and documentation."""

import os
from collections.abc import Iterator
from typing import Any

from flask import Response, current_app, jsonify
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client import REGISTRY as PROCESS_REGISTRY
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from notify_server.api import guards
from notify_server.api.blueprint import Routes
from notify_server.api.context import services
from notify_server.api.schemas.operations import StatusSchema
from notify_server.errors import DatabaseUnavailable

routes = Routes("operations", __name__, description="For those who run the server")


@routes.route("/healthz", methods=["GET"])
@guards.public
@routes.response(200, StatusSchema)
def alive() -> dict[str, str]:
    """Tell that the process is alive."""
    return {"status": "alive"}


@routes.route("/readyz", methods=["GET"])
@guards.public
@routes.response(200, StatusSchema)
@routes.alt_response(503)
def ready() -> dict[str, str]:
    """Tell whether requests can be served: the database answers and is migrated."""
    services().health.check()
    return {"status": "ready"}


@routes.route("/metrics", methods=["GET"])
@guards.public
@routes.response(200, {"type": "string"}, content_type="text/plain")
def metrics() -> Response:
    """Give Prometheus the metrics of every process of this machine, and the age of the queue."""
    queue = CollectorRegistry()
    queue.register(QueueAge())
    return Response(_processes() + generate_latest(queue), content_type=CONTENT_TYPE_LATEST)


@routes.route("/openapi.json", methods=["GET"])
@guards.public
@routes.response(200, {"type": "object"})
def openapi() -> Response:
    """Describe this API (OpenAPI 3.1)."""
    document: dict[str, Any] = current_app.extensions["openapi"]
    return jsonify(document)


class QueueAge(Collector):
    """Read from the database at each scrape, and left out while that is away. No process owns it."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Called by prometheus_client."""
        try:
            age = services().health.queue_age()
        except DatabaseUnavailable:
            return
        yield GaugeMetricFamily("notify_queue_age_seconds", "How long the oldest due push batch has waited", age)


def _processes() -> bytes:
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest(PROCESS_REGISTRY)
    everyone = CollectorRegistry()
    MultiProcessCollector(everyone)
    return generate_latest(everyone)
