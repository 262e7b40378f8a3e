"""`scripts/fuzz [--examples N] [--seed S]`: real processes, a mongod and the FCM simulator under generated requests.

It ends with 0 if every answer was as the OpenAPI document says, nothing unforeseen was logged, and a client that was
generated from the document works.
"""

import argparse
import os
import random
import sys
import tempfile
from pathlib import Path

from notify_server import logs
from scripts.benchmarks.fcm_peer import FcmPeer
from scripts.benchmarks.installation import Installation, installation
from scripts.fuzzing import client
from scripts.fuzzing.requests import Found, callers, send

_PHASES = "examples,coverage,fuzzing,stateful"
_USER, _OTHER = "u1", "u2"


def main() -> int:
    """Run, and print what was found; the exit code."""
    parser = argparse.ArgumentParser(prog="scripts/fuzz")
    parser.add_argument("--examples", type=int, default=60, help="made-up requests for each route and token (60)")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32), help="where schemathesis begins")  # noqa: S311
    arguments = parser.parse_args()
    logs.configure("warning", "console", "fuzz")
    os.environ["NOTIFY_RATE_REFUSED"] = "0"  # nobody is told to wait; the other rates are the installation's
    print(f"seed {arguments.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="notify-fuzz-") as made, FcmPeer(recording=True) as peer:
        directory = Path(made)
        log = directory / "log"
        with installation(peer, web=2, log=log) as running:
            found = _send(running, arguments.examples, arguments.seed, directory)
            _call(running, directory)
        errors = [line for line in log.read_text().splitlines() if "Traceback" in line]
    print(f"{sum(one.requests for one in found)} requests, {len(errors)} unforeseen errors in the log")
    print(*errors[:20], sep="\n", end="")
    return int(bool(errors) or not all(one.sound for one in found))


def _send(running: Installation, examples: int, seed: int, directory: Path) -> list[Found]:
    url = f"http://127.0.0.1:{running.config.port}"
    with running.client() as backend:
        spare = str(backend.post("/v1/tokens", json={"name": "spare", "scopes": ["admin", "send"]}).json()["token"])
        user = str(backend.post(f"/v1/users/{_USER}/tokens").json()["token"])
        running.post(backend, {"message": {"title": "Hello"}, "users": [_USER]})
    found = []
    for caller in callers(running.token, spare, user):
        one = send(url, caller, directory, examples=examples, phases=_PHASES, seed=seed)
        print(f"{caller.name}: {one.requests} requests, {'sound' if one.sound else one.report}", flush=True)
        found.append(one)
    return found


def _call(running: Installation, directory: Path) -> None:
    url = f"http://127.0.0.1:{running.config.port}"
    print(client.generate(url, directory) or "the generator of clients has nothing to say")
    with running.client() as backend:
        user = str(backend.post(f"/v1/users/{_OTHER}/tokens").json()["token"])
    accepted = client.exercise(url, directory, running.token, user, _OTHER)["accepted"]
    print(f"the generated client works: {accepted.id} accepted")


if __name__ == "__main__":
    sys.exit(main())
