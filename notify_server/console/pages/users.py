"""Why did this user not get it? A user, their entries with reason and history, their devices and what they muted."""

from http import HTTPStatus

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from notify_server.api import paging
from notify_server.api.context import services
from notify_server.console import access, queries
from notify_server.domain import identity, text
from notify_server.errors import NotFound
from notify_server.services.server_tokens import Scope

pages = Blueprint("users", __name__)

_SUGGESTED = 20  # users that begin alike
_ENTRIES = 20


@pages.get("/users")
@access.needs(Scope.READ)
def search() -> str | Response:
    """Find a user by id: the whole of it leads there, its beginning to a choice."""
    asked = queries.read(queries.UserSchema)
    user = asked.values.get("user")
    if user is None:
        return render_template("search.html", asked=asked, found=[], is_cut=False)
    found = services().people.beginning_with(user, _SUGGESTED)
    if user in found:
        narrowed = asked.values.get("notification")
        return redirect(url_for(".show", user_id=user, notification=narrowed), HTTPStatus.SEE_OTHER)
    return render_template("search.html", asked=asked, found=found, is_cut=len(found) == _SUGGESTED)


@pages.get("/users/<user_id>")
@access.needs(Scope.READ)
def show(user_id: str) -> str:
    """One user: all entries, newest first, or the one of the notification that is asked for."""
    user_id = text.nfc(user_id)
    if not identity.is_possible(user_id):
        raise NotFound("No user can have this id.")
    user = services().people.get(user_id)
    wanted = request.args.get("notification", "").strip().lower() or None
    after = queries.cursor()
    found = services().inspection.registry_of_user(user_id, after, _ENTRIES + 1)
    shown, following = paging.page(found, _ENTRIES, lambda entry: str(entry["notification_id"]))
    one = services().inspection.entry(wanted, user_id) if wanted else None
    named = {entry["notification_id"] for entry in shown} | ({wanted} if wanted else set())
    return render_template(
        "user.html",
        user=user,
        devices=services().enrolment.listed(user_id),
        wanted=wanted,
        one=one,
        entries=shown,
        notifications=services().inspection.among(sorted(named)),
        mails=services().mail_log.among(user_id, sorted(named)),
        newest=url_for(".show", user_id=user_id) if after else None,
        older=url_for(".show", user_id=user_id, cursor=following) if following else None,
    )
