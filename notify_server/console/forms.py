"""Forms that no other site can send: each holds a token that is derived from a secret of the browser's cookie."""

import hmac

from flask import Flask, Response, g, request
from markupsafe import Markup

from notify_server.console import cookies
from notify_server.errors import Forbidden

FIELD = "form_token"
_PURPOSE = b"form"


def install(app: Flask) -> None:
    """Check every form that is sent; after `access`, which says whose session it is."""
    app.jinja_env.globals.update(form_token=_field)
    app.before_request(_check)
    app.after_request(_keep_visitor)


def token() -> str:
    """What a form of this browser holds."""
    secret: str = g.get("session") or cookies.visitor()
    return hmac.digest(secret.encode(), _PURPOSE, "sha256").hex()


def _field() -> Markup:
    return Markup('<input type="hidden" name="{}" value="{}">').format(FIELD, token())


def _check() -> None:
    """Raises Forbidden where a browser says that another site has sent the form, or its token is not this browser's."""
    if request.method in {"GET", "HEAD"} or request.endpoint is None:
        return
    sent = request.form.get(FIELD, "")
    elsewhere = request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin"
    if elsewhere or not hmac.compare_digest(sent.encode(), token().encode()):
        raise Forbidden("This form is too old, or was not sent from here. Go back, reload the page and send it again.")


def _keep_visitor(response: Response) -> Response:
    if "visitor" in g and request.cookies.get(cookies.VISITOR) != g.visitor:
        cookies.keep(response, cookies.VISITOR, g.visitor)
    return response
