"""One-click unsubscribing from mails (RFC 8058). The link is all that is needed, and says nothing to who made it up.

A link that is followed shows a button, and changes nothing: programs that look into mails follow links.
"""

from http import HTTPStatus

from flask import Response

from notify_server.api import guards, remote
from notify_server.api.blueprint import Routes
from notify_server.api.context import services
from notify_server.services.audit import Change, Kind, Party

routes = Routes("unsubscribe", __name__, description="One click that ends mails of a category")

_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Unsubscribe</title></head>
<body style="max-width:30em;margin:4em auto;padding:0 1em;font:18px/1.5 sans-serif">{}</body></html>
"""
_ASK = (
    "<h1>Unsubscribe</h1><p>No more notifications of this kind?</p>"
    '<form method="post"><button style="font-size:1em;padding:.5em 1em">Unsubscribe</button></form>'
)
_DONE = "<h1>Done</h1><p>You will get no more notifications of this kind.</p>"
_HTML = {"type": "string", "description": "A page for people"}


@routes.route("/v1/unsubscribe/<link>", methods=["GET"])
@guards.public
@routes.response(200, _HTML, content_type="text/html")
@routes.alt_response(503)
def ask(link: str) -> Response:
    """Ask a person who followed the link of a mail whether they want no more of its category."""
    services().unsubscribing.read(link)
    return _page(_ASK)


@routes.route("/v1/unsubscribe/<link>", methods=["POST"])
@guards.public
@routes.response(200, _HTML, content_type="text/html")
@routes.alt_response(503)
def click(link: str) -> Response:
    """Mute the category of a mail for its recipient; mail programs do this with one click."""
    if (found := services().unsubscribing.read(link)) is not None:
        _mute(*found)
    return _page(_DONE)


def _mute(user: str, category: str) -> None:
    """Between the two writes of its line in the audit log."""
    actor, about = Party(Kind.USER, user), Party(Kind.CATEGORY, category)
    change = Change(actor, "unsubscribe.click", "POST /v1/unsubscribe/{link}", about, address=remote.address())
    line = services().audit.begin(change)
    services().unsubscribing.unsubscribe(user, category)
    services().audit.end(line, change, HTTPStatus.OK)


def _page(body: str) -> Response:
    answer = Response(_PAGE.format(body), mimetype="text/html")
    answer.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer
