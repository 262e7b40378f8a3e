"""Requests that schemathesis makes up from the OpenAPI document, right and wrong ones, with every kind of token."""

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

# What a route promises in the document, and that it asks for its token. Left out is whether data that the document
# lets pass is accepted: it cannot say all that a field is held to, such as what an id may look like.
_CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
    "ignored_auth",
)
_SECONDS = 1800  # until a run is given up
_COUNTED = re.compile(r"(\d+) generated")


@dataclass(frozen=True)
class Caller:
    """Who sends: `arguments` choose the routes."""

    name: str
    token: str | None
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True)
class Found:
    """How many requests were made up and sent, whether every answer was as documented, and what schemathesis said."""

    requests: int
    sound: bool
    report: str


def callers(server: str, spare: str, user: str) -> tuple[Caller, ...]:
    """Everyone who may call. Whoever can end tokens may end its own: that is left to the token `spare`."""
    tokens = "^/v1/tokens/"
    return (
        Caller("server token", server, ("--exclude-path-regex", tokens)),
        Caller("server token that may end itself", spare, ("--include-path-regex", tokens)),
        Caller("user token", user, ("--include-path-regex", "^/(v1/me|jsonapi)/")),
        Caller("user token on a backend's routes", user, ("--exclude-path-regex", "^/(v1/me|jsonapi)/")),
        Caller("no token", None),
    )


def send(url: str, caller: Caller, directory: Path, *, examples: int, phases: str, seed: int) -> Found:  # noqa: PLR0913
    """Send `examples` made-up requests to each route at `url`, and what else `phases` of schemathesis make up."""
    command = [str(Path(sys.executable).with_name("schemathesis")), "--no-color", "run", f"{url}/openapi.json"]
    options = {
        "--checks": ",".join(_CHECKS),
        "--phases": phases,
        "--max-examples": str(examples),
        "--seed": str(seed),
        "--workers": "1",  # Python 3.11 cannot parse in two threads: "AST constructor recursion depth mismatch"
        "--warnings": "off",
        "--generation-database": "none",
    }
    told = [word for option in options.items() for word in option] + ["--continue-on-failure", "--no-shrink"]
    bearer = [] if caller.token is None else ["--header", f"Authorization: Bearer {caller.token}"]
    done = subprocess.run(
        [*command, *told, *caller.arguments, *bearer],
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    report = done.stdout + done.stderr
    counted = _COUNTED.search(report)
    return Found(int(counted[1]) if counted else 0, done.returncode == 0, report)
