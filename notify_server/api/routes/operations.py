"""Probes, metrics and documentation."""

import os
from typing import Any

from flask import Response, current_app, jsonify
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest
from prometheus_client import REGISTRY as PROCESS_REGISTRY
from prometheus_client.multiprocess import MultiProcessCollector

from notify_server.api import guards
from notify_server.api.blueprint import Routes
from notify_server.api.context import services

routes = Routes("operations", __name__, description="For those who run the server")


@routes.route("/healthz", methods=["GET"])
@guards.public
@routes.response(200)
def alive() -> Response:
    """Tell that the process is alive."""
    return jsonify({"status": "alive"})


@routes.route("/readyz", methods=["GET"])
@guards.public
@routes.response(200)
def ready() -> Response:
    """Tell whether requests can be served: the database answers and is migrated."""
    services().health.check()
    return jsonify({"status": "ready"})


@routes.route("/metrics", methods=["GET"])
@guards.public
@routes.response(200, content_type="text/plain")
def metrics() -> Response:
    """Give Prometheus the metrics of every process of this machine, and the age of the queue."""
    queue = CollectorRegistry()
    age = Gauge("notify_queue_age_seconds", "How long the oldest due push batch has waited", registry=queue)
    age.set(services().health.queue_age())
    return Response(_processes() + generate_latest(queue), content_type=CONTENT_TYPE_LATEST)


@routes.route("/openapi.json", methods=["GET"])
@guards.public
@routes.response(200)
def openapi() -> Response:
    """Describe this API (OpenAPI 3.1)."""
    document: dict[str, Any] = current_app.extensions["openapi"]
    return jsonify(document)


def _processes() -> bytes:
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest(PROCESS_REGISTRY)
    everyone = CollectorRegistry()
    MultiProcessCollector(everyone)
    return generate_latest(everyone)
