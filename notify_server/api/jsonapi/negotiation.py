"""Which media types JSON:API takes and gives (section "Content Negotiation", "Server Responsibilities")."""

from flask import Flask, abort, request
from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_options_header

from notify_server.api.jsonapi.errors import MEDIA_TYPE, is_spoken

_WITHOUT = "Send application/vnd.api+json without parameters but profile; no extension is supported."
_TAKEN = f"Accept {MEDIA_TYPE} without parameters but profile; no extension is supported."


def install(app: Flask) -> None:
    """Check the headers of each request for a JSON:API document, before its body is looked at."""
    app.before_request(_negotiate)


def _negotiate() -> None:
    if not is_spoken():
        return
    if not _is_acceptable(request.accept_mimetypes):
        abort(406, _TAKEN)
    has_body = request.content_length or "Transfer-Encoding" in request.headers
    media_type = request.headers.get("Content-Type", "")
    if (has_body or _is_ours(media_type)) and not is_plain(media_type):
        abort(415, _WITHOUT)


def is_plain(media_type: str) -> bool:
    """Whether it is the JSON:API media type, with no parameter but `profile`, or `ext` that names no extension."""
    _, parameters = parse_options_header(media_type)
    strange = parameters.keys() - {"ext", "profile"}
    return _is_ours(media_type) and not strange and not parameters.get("ext", "").strip()


def _is_acceptable(accepted: MIMEAccept) -> bool:
    """A client that names our media type must name it once as it is; one that does not gets it all the same."""
    ours = [media_type for media_type in accepted.values() if _is_ours(media_type)]
    return not ours or any(is_plain(media_type) for media_type in ours)


def _is_ours(media_type: str) -> bool:
    return parse_options_header(media_type)[0].lower() == MEDIA_TYPE
