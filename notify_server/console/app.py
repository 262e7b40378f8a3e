"""The console as a Flask application of its own: pages, forms and errors in HTML, and no hook of the API's."""

from flask import Flask
from jinja2 import StrictUndefined

from notify_server import __version__
from notify_server.api import context, remote
from notify_server.bootstrap import Services
from notify_server.config import Config
from notify_server.console import access, filters, forms, headers, navigation, problems, words
from notify_server.console.pages import (
    caught,
    devices,
    entrance,
    exporting,
    groups,
    health,
    mails,
    notifications,
    overview,
    sending,
    settings,
    templates,
    users,
)

_PAGES = (
    entrance,
    overview,
    notifications,
    users,
    mails,
    caught,
    templates,
    groups,
    devices,
    health,
    settings,
    exporting,
    sending,
)
_MAX_FORM = 64 * 1024  # bytes: the largest form is a message


def create_app(config: Config, services: Services) -> Flask:
    """Build the application, to hang below /console. Raises LookupError when a page says not who may see it."""
    app = Flask(__name__)
    app.config.update(MAX_CONTENT_LENGTH=_MAX_FORM, PROVIDE_AUTOMATIC_OPTIONS=False, PROPAGATE_EXCEPTIONS=False)
    app.config.update(remote.trusted(config.trusted_proxies))
    app.url_map.strict_slashes = False
    app.jinja_options = {"undefined": StrictUndefined, "trim_blocks": True, "lstrip_blocks": True}
    context.attach(app, services)
    for page in _PAGES:
        app.register_blueprint(page.pages)
    app.jinja_env.globals.update(version=__version__)
    filters.install(app)
    words.install(app)
    navigation.install(app)
    access.install(app)
    forms.install(app)
    headers.install(app)
    problems.install(app)
    return app
