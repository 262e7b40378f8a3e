"""What every answer tells the browser: nothing from elsewhere, nothing inline, into no frame, into no cache."""

from flask import Flask, Response, request

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
_ALWAYS = {
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def install(app: Flask) -> None:
    """Set them on every answer."""
    app.after_request(_confine)


def _confine(response: Response) -> Response:
    response.headers.update(_ALWAYS)
    response.headers["Cache-Control"] = "no-cache" if request.endpoint == "static" else "no-store"
    return response
