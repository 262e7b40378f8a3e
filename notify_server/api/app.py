"""The Flask application."""

from collections.abc import Callable
from typing import Any

from flask import Flask
from flask_smorest import Api

from notify_server.api import (
    asyncapi,
    auditing,
    context,
    demo,
    docs,
    guards,
    limits,
    openapi,
    parsing,
    problems,
    remote,
)
from notify_server.api.jsonapi import negotiation
from notify_server.api.routes import (
    actions,
    audit,
    devices,
    groups,
    hooks,
    inbox,
    jsonapi,
    mails,
    notifications,
    operations,
    rankings,
    realtime,
    registry,
    settings,
    statistics,
    subscriptions,
    templates,
    tokens,
    unsubscribe,
    users,
)
from notify_server.bootstrap import Services
from notify_server.config import Config

_OF_BACKENDS = (notifications, registry, realtime, templates, actions, users, groups, statistics, rankings)
_OF_ADMINS = (tokens, audit, mails, settings)
_OF_DEVICES = (devices, inbox, jsonapi, subscriptions, unsubscribe)
_ROUTES = (*_OF_BACKENDS, *_OF_ADMINS, *_OF_DEVICES, hooks, operations)


class Application(Flask):
    """Flask, spared from asking of every hook of every request whether it is a coroutine: none of ours is."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Called by Flask with each hook and view."""
        return func


def create_app(config: Config, services: Services) -> Flask:
    """Build the application. Raises LookupError when a route has no guard."""
    app = Application(__name__, static_folder=None)
    app.config.update(openapi.SETTINGS, MAX_CONTENT_LENGTH=config.max_body, PROVIDE_AUTOMATIC_OPTIONS=False)
    app.config.update(remote.trusted(config.trusted_proxies), PROPAGATE_EXCEPTIONS=False)
    app.url_map.merge_slashes = app.url_map.strict_slashes = False  # their redirects are HTML pages
    context.attach(app, services)
    api = Api(app)
    for module in _ROUTES:
        api.register_blueprint(module.routes)
    docs.install(app)
    if config.demo:
        demo.install(app, config.realtime_port)
    guards.install(app, limits.count)
    negotiation.install(app)
    limits.install(app)
    auditing.install(app)
    app.before_request(parsing.require_ids)
    app.before_request(parsing.require_json)
    app.extensions["openapi"] = openapi.describe(app, api)
    app.extensions["asyncapi"] = asyncapi.describe(app.extensions["openapi"], config.realtime_port)
    problems.install(app)
    return app
