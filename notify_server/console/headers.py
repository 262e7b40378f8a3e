"""What every answer tells the browser: nothing from elsewhere, nothing inline, into no frame, into no cache.

What others have written in HTML is looked at in a frame of its own, in which no script runs and nothing is fetched.
"""

from flask import Flask, Response, request

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "frame-src 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_FRAMED = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'self'",
    "X-Frame-Options": "SAMEORIGIN",
}
_ALWAYS = {
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class Framed(Response):
    """HTML that others have written, to be shown in a frame of a page."""


def install(app: Flask) -> None:
    """Set them on every answer."""
    app.after_request(_confine)


def _confine(response: Response) -> Response:
    response.headers.update(_ALWAYS | _FRAMED if isinstance(response, Framed) else _ALWAYS)
    response.headers["Cache-Control"] = "no-cache" if request.endpoint == "static" else "no-store"
    return response
