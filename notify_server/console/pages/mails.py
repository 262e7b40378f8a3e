"""The mail registry: listed, and one mail with what it said."""

from http import HTTPStatus
from typing import Any

from flask import Blueprint, redirect, render_template, url_for
from werkzeug.wrappers import Response

from notify_server.api import paging
from notify_server.api.context import services
from notify_server.console import access, auditing, queries
from notify_server.console.headers import Framed
from notify_server.domain.registry import Status
from notify_server.errors import NotFound
from notify_server.services.audit import Kind, Party
from notify_server.services.mail_log import ShownMail

pages = Blueprint("mails", __name__)


@pages.get("/mails")
@access.needs()
def list_all() -> str:
    """Those of the newest notifications first, narrowed as the address says."""
    asked, after = queries.read(queries.MailsSchema), queries.mail_cursor()
    filters, given = dict(queries.filters(asked, "from", "to")), dict[str, Any](asked.given)
    found = services().mail_log.page(filters, after, queries.PAGE + 1) if not asked.faults else []
    shown, following = paging.page(found, queries.PAGE, lambda record: record.id)
    return render_template(
        "mails.html",
        asked=asked,
        mails=shown,
        statuses=list(Status),
        catches=services().catcher is not None,
        newest=url_for(".list_all", **given) if after else None,
        older=url_for(".list_all", **given, cursor=following) if following else None,
    )


@pages.get("/mails/<mail_id>")
@access.needs()
def show(mail_id: str) -> str:
    """One, with its message, and whether its address is blocked."""
    found = _read(mail_id)
    address = found.record.address
    blocked = None if address is None else services().mail_log.blocked(address)
    reason, _, code = (blocked or "").partition(" ")
    return render_template("mail.html", mail=found.record, message=found.message, blocked=reason, code=code)


@pages.get("/mails/<mail_id>/html")
@access.needs()
def html(mail_id: str) -> Framed:
    """Its HTML, for the frame on its page."""
    message = _read(mail_id).message
    if message is None or message.html is None:
        raise NotFound("This mail has no HTML.")
    return Framed(message.html, mimetype="text/html")


def _read(mail_id: str) -> ShownMail:
    """A mail with what it says, which may be a link that resets a password: who is shown it has a line.

    Raises NotFound.
    """
    found = services().mail_log.get(mail_id)
    with auditing.recorded("console.read_mail", ["message"], Party(Kind.OTHER, mail_id), status=HTTPStatus.OK):
        return found


@pages.post("/mails/<mail_id>/allow")
@access.needs()
def allow(mail_id: str) -> Response:
    """Let the mail's address be mailed again."""
    address = services().mail_log.get(mail_id).record.address
    if address is None:
        raise NotFound("This mail has no address.")
    with auditing.recorded("console.allow_address", ["address"], Party(Kind.OTHER, mail_id)):
        services().mail_log.allow(address)
    return redirect(url_for(".show", mail_id=mail_id), HTTPStatus.SEE_OTHER)
