"""A client that openapi-python-client generates from the OpenAPI document, and what one does with it."""

import compileall
import importlib
import subprocess
import sys
from http import HTTPStatus
from pathlib import Path
from types import ModuleType
from typing import Any

PACKAGE = "notify_server_client"


def generate(url: str, directory: Path) -> str:
    """Generate and compile the client of the server at `url` into `directory`; the generator's warnings, a line each.

    Raises RuntimeError where a client cannot be generated or does not compile.
    """
    command = [str(Path(sys.executable).with_name("openapi-python-client")), "generate", "--meta", "none"]
    target = directory / PACKAGE
    command += ["--url", f"{url}/openapi.json", "--output-path", str(target)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode != 0 or not compileall.compile_dir(target, quiet=1):
        raise RuntimeError(f"no client could be generated: {done.stdout}{done.stderr}")
    said = (done.stdout + done.stderr).splitlines()
    return "\n".join(line for line in said if line.startswith(("WARNING", "Cannot")))


def exercise(url: str, directory: Path, server: str, user: str, user_id: str) -> dict[str, Any]:
    """Accept a notification for `user_id`, whose token is `user`; list it and read it, all with the generated client.

    What came back, as its own models: `accepted`, `listed`, `shown`, `entries`, `subscriptions`, `refused`.
    """
    sys.path.insert(0, str(directory))
    try:
        connect = importlib.import_module(PACKAGE).AuthenticatedClient
        with connect(base_url=url, token=server) as backend, connect(base_url=url, token=user) as device:
            return _converse(backend, device, user_id)
    finally:
        sys.path.remove(str(directory))


def _converse(backend: Any, device: Any, user_id: str) -> dict[str, Any]:
    models = importlib.import_module(f"{PACKAGE}.models")
    body = models.Notification(message=models.Message(title="Generated"), users=[user_id])
    accepted = _call("notifications", "accept", HTTPStatus.ACCEPTED, client=backend, body=body)
    known = {"client": backend, "notification_id": accepted.id}
    return {
        "accepted": accepted,
        "listed": _call("notifications", "list_all", HTTPStatus.OK, client=backend),
        "shown": _call("notifications", "show", HTTPStatus.OK, **known),
        "entries": _call("notifications", "registry", HTTPStatus.OK, **known),
        "subscriptions": _call("subscriptions", "show", HTTPStatus.OK, client=device),
        "refused": _call("notifications", "list_all", HTTPStatus.UNAUTHORIZED, client=device),
    }


def _call(tag: str, operation: str, expected: HTTPStatus, **arguments: Any) -> Any:
    """Call an operation; its parsed answer. Raises RuntimeError where the status is not `expected`."""
    module: ModuleType = importlib.import_module(f"{PACKAGE}.api.{tag}.{tag}_{operation}")
    answer = module.sync_detailed(**arguments)
    if answer.status_code != expected:
        raise RuntimeError(f"{tag}_{operation}: {answer.status_code} {answer.content!r}")
    return answer.parsed
