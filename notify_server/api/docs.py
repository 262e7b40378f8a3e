"""The documentation for people: Swagger UI over our OpenAPI document, without a request to any other host."""

from flask import Flask, Response
from flask_swagger_ui import get_swaggerui_blueprint

from notify_server.api import guards

_SETTINGS = {
    "app_name": "Notify Server",
    "validatorUrl": None,  # otherwise the browser asks validator.swagger.io for a badge
    "oauth2RedirectUrl": "",  # otherwise the page quotes the Host header
}
# What the page does: its own files, a script and styles in the page, images as data.
_POLICY = (
    "default-src 'self'; img-src 'self' data:; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'"
)


def install(app: Flask) -> None:
    """Serve /docs."""
    routes = get_swaggerui_blueprint("/docs", "/openapi.json", config=_SETTINGS)
    routes.after_request(_confine)
    app.register_blueprint(routes)
    guards.public(app.view_functions["swagger_ui.show"])


def _confine(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = _POLICY
    return response
