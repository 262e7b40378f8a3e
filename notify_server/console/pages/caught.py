"""What the mail catcher of `notify-server up` has caught: there while it runs."""

from flask import Blueprint, render_template

from notify_server.api.context import services
from notify_server.channels.mail.catcher import Catcher
from notify_server.console import access
from notify_server.console.headers import Framed
from notify_server.errors import NotFound

pages = Blueprint("caught", __name__)


@pages.get("/caught")
@access.needs()
def list_all() -> str:
    """The newest first."""
    return render_template("caught.html", mails=_catcher().mails())


@pages.get("/caught/<int:number>")
@access.needs()
def show(number: int) -> str:
    """One as it came in."""
    return render_template("caught_mail.html", mail=_catcher().mail(number))


@pages.get("/caught/<int:number>/html")
@access.needs()
def html(number: int) -> Framed:
    """Its HTML, for the frame on its page."""
    found = _catcher().mail(number)["html"]
    if found is None:
        raise NotFound("This mail has no HTML.")
    return Framed(found, mimetype="text/html")


def _catcher() -> Catcher:
    found = services().catcher
    if found is None:
        raise NotFound("No mail catcher runs here: `notify-server up` starts one where no mail service is set.")
    return found
