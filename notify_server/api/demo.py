"""The demo page of `up`: an inbox that is live, for people to look at.

It gives out tokens without asking for one, for users whose ids begin with `demo-`. So it is there only where the server
listens on loopback, and answers only who speaks to it from there, by its own name, and gives tokens to its own page
alone: to a page of another site it is another origin, or another Host. A proxy that keeps silent is not noticed.
"""

from ipaddress import ip_address
from pathlib import Path

from flask import Blueprint, Flask, Response, abort, jsonify, request, send_from_directory

from notify_server.api import guards
from notify_server.api.context import services
from notify_server.errors import InvalidInput

PREFIX = "demo-"  # of the ids of users that it may act as
_PAGE = Path(__file__).parent / "demo_page"
_FILES = frozenset({"demo.css", "demo.js", "icon.svg", "socket.io.min.js", "socket.io.LICENSE.txt"})
_HERE = frozenset({"127.0.0.1", "localhost", "[::1]"})
_PROXIED = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP", "Via")


def install(app: Flask, realtime_port: int) -> None:
    """Serve /demo; the page connects to this realtime port on the host that it came from."""
    routes = Blueprint("demo", __name__, url_prefix="/demo")
    page = (_PAGE / "index.html").read_text().replace("{{ realtime_port }}", str(realtime_port))
    policy = _policy(realtime_port)

    @routes.get("")
    @guards.public
    def show() -> Response:
        return Response(page, mimetype="text/html")

    @routes.get("/<name>")
    @guards.public
    def file(name: str) -> Response:
        return send_from_directory(_PAGE, name) if name in _FILES else abort(404)

    @routes.post("/tokens/<user_id>")
    @guards.public
    def token(user_id: str) -> Response:
        if not user_id.startswith(PREFIX):
            raise InvalidInput({"user_id": [f"Must begin with {PREFIX}."]})
        return jsonify({"token": services().user_tokens.mint(user_id)[0]})

    @routes.after_request
    def confine(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = policy
        response.headers["Cache-Control"] = "no-store" if request.method == "POST" else "no-cache"
        response.headers["Referrer-Policy"] = "no-referrer"
        return response

    routes.before_request(_require_local)
    app.register_blueprint(routes)


def _policy(realtime_port: int) -> str:
    sockets = " ".join(f"ws://{host}:{realtime_port}" for host in ("127.0.0.1", "localhost"))
    return (
        f"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self' {sockets}; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _require_local() -> None:
    """To everybody else it is not there."""
    host = request.host.rpartition(":")[0] if request.host.rpartition(":")[2].isdigit() else request.host
    if (
        host not in _HERE
        or not _is_same_origin()
        or any(name in request.headers for name in _PROXIED)
        or not ip_address(request.remote_addr or "0.0.0.0").is_loopback
    ):
        abort(404)


def _is_same_origin() -> bool:
    """A browser names the page's origin with each POST: who names none, and is behind a proxy, may be anywhere."""
    origin, here = request.headers.get("Origin"), request.host_url.rstrip("/")
    if origin is None and request.method == "POST":
        return request.headers.get("Sec-Fetch-Site") == "same-origin"
    return origin in {None, here}
