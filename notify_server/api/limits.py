"""Limits of single requests: how often a caller may call, and how large a body a route takes.

The RateLimit headers follow draft-ietf-httpapi-ratelimit-headers-10: structured fields (RFC 9651).
"""

from flask import Flask, Response, current_app, g, request

from notify_server.api import problems, remote
from notify_server.api.context import services
from notify_server.errors import TooManyRequests, Unauthenticated
from notify_server.services.rate_limits import RateLimit, Verdict, network

SMALL = 16 * 1024  # bytes: a device says little
LARGER = {  # bytes, of routes for user tokens that take more than SMALL
    "me.report": 192 * 1024,  # 500 receipts, each with everything that it can have
    "inbox.mark_read": 3 * 1024 * 1024,  # 2,000 names of 128 characters, each of which JSON may escape in 12 bytes
}


def install(app: Flask) -> None:
    """Hold every guarded route to the limits; after the guards, which say who calls, and call `count`."""
    app.before_request(_bound_body)
    app.after_request(_show)
    app.register_error_handler(Unauthenticated, _refuse)


def count() -> None:
    """Take the request from what its caller may do. Raises TooManyRequests."""
    limits = services().rate_limits
    if "client" in g:
        _take(limits.server, g.client.id)
    elif "user" in g:
        _take(limits.user, g.user)


def _take(limit: RateLimit | None, caller: str) -> None:
    if limit is not None:
        verdict: Verdict = limit.take(caller)
        g.verdict = verdict
        if not verdict.allowed:
            raise TooManyRequests(verdict.retry_after)


def _bound_body() -> None:
    if "user" in g:
        largest = LARGER.get(request.endpoint or "", SMALL)
        request.max_content_length = min(largest, current_app.config["MAX_CONTENT_LENGTH"])


def count_refusal() -> None:
    """Tell an address that offers one bad token after another to wait; a good one from there is never held back.

    Raises TooManyRequests.
    """
    _take(services().rate_limits.address, network(remote.address()))


def _refuse(error: Unauthenticated) -> Response:
    try:
        count_refusal()
    except TooManyRequests as refusal:
        return problems.refused(refusal)
    return problems.refused(error)


def _show(response: Response) -> Response:
    response.headers["X-Content-Type-Options"] = "nosniff"  # no browser takes a message in JSON for a page
    verdict: Verdict | None = g.get("verdict")
    if verdict is not None:
        response.headers["RateLimit-Policy"] = verdict.policy
        response.headers["RateLimit"] = verdict.limit
    return response
