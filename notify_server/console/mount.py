"""Where the console hangs: below /console of the web port, beside the API."""

from typing import Any

from flask import Flask

PREFIX = "/console"


class Mounted:
    """The API, and the console where a path says so. Both are WSGI applications."""

    def __init__(self, api: Flask, console: Flask) -> None:
        self._api = api.wsgi_app
        self._console = console.wsgi_app

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Called by the server with each request (PEP 3333)."""
        path: str = environ.get("PATH_INFO", "")
        if not path.startswith(PREFIX) or path[len(PREFIX) : len(PREFIX) + 1] not in {"", "/"}:
            return self._api(environ, start_response)
        inside = environ | {
            "SCRIPT_NAME": environ.get("SCRIPT_NAME", "") + PREFIX,
            "PATH_INFO": path[len(PREFIX) :] or "/",
        }
        return self._console(inside, start_response)
