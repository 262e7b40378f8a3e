"""The Flask application."""

from flask import Flask, abort, request
from flask_smorest import Api
from flask_swagger_ui import get_swaggerui_blueprint

from notify_server.api import context, guards, openapi, parsing, problems
from notify_server.api.routes import devices, groups, notifications, operations, users
from notify_server.api.schemas.fields import MAX_ID
from notify_server.bootstrap import Services
from notify_server.config import Config

_ROUTES = (notifications, users, groups, devices, operations)


def create_app(config: Config, services: Services) -> Flask:
    """Build the application. Raises LookupError when a route has no guard."""
    app = Flask(__name__, static_folder=None)
    app.config.update(openapi.SETTINGS, MAX_CONTENT_LENGTH=config.max_body, PROPAGATE_EXCEPTIONS=False)
    context.attach(app, services)
    api = Api(app)
    for module in _ROUTES:
        api.register_blueprint(module.routes)
    docs = get_swaggerui_blueprint("/docs", "/openapi.json", config={"app_name": "Notify Server"})
    app.register_blueprint(docs, url_prefix="/docs")
    guards.public(app.view_functions["swagger_ui.show"])
    app.before_request(_check_path)
    guards.install(app)
    app.before_request(parsing.require_json)
    app.extensions["openapi"] = openapi.describe(app, api)
    problems.install(app)
    return app


def _check_path() -> None:
    """An id in a path that no id can be names nothing."""
    for name, value in (request.view_args or {}).items():
        if name.endswith("_id") and (len(value) > MAX_ID or not parsing.storable(value)):
            abort(404)
