"""The control endpoints under /_simulator. They ask for no credential."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs

import orjson

from notify_server.errors import InvalidInput
from notify_server.simulator import behaviour, devices
from notify_server.simulator.answers import JSON, Answer
from notify_server.simulator.outcomes import WORDS
from notify_server.simulator.simulation import Simulation

_PROBLEM = ("content-type", "application/problem+json")
_NO_CONTENT = Answer(204, b"", ())
Handler = Callable[[Simulation, bytes], Answer]


def problem(status: int, title: str, errors: Mapping[str, Any] | None = None, *headers: tuple[str, str]) -> Answer:
    """An RFC 9457 answer; `errors` maps field paths to messages."""
    content = {"type": "about:blank", "title": title, "status": status}
    return Answer(status, orjson.dumps({**content, "errors": errors} if errors else content), (_PROBLEM, *headers))


def answer(simulation: Simulation, method: str, path: str, body: bytes) -> Answer:
    """Do what a control request asks for. GET /_simulator/messages is not here: it streams."""
    methods = ROUTES.get(path)
    if methods is None:
        return problem(404, "Not found")
    handler = methods.get(method)
    if handler is None:
        return problem(405, "Method not allowed", None, ("allow", ", ".join(sorted(methods))))
    try:
        return handler(simulation, body)
    except orjson.JSONDecodeError:
        return problem(400, "Not JSON")
    except InvalidInput as error:
        return problem(error.status, error.title, error.errors)


def rows(simulation: Simulation, query: str) -> Iterator[bytes]:
    """The log as NDJSON, narrowed by `outcome` and `target_prefix`. Raises InvalidInput for anything else."""
    given = {name: found[-1] for name, found in parse_qs(query, keep_blank_values=True).items()}
    outcome, prefix = given.pop("outcome", None), given.pop("target_prefix", "")
    if given:
        raise InvalidInput({name: ["Unknown parameter."] for name in given})
    if outcome is not None and outcome not in WORDS:
        raise InvalidInput({"outcome": [f"Must be one of: {', '.join(WORDS)}."]})
    return simulation.log.lines(outcome, prefix)


def _json(content: Any) -> Answer:
    return Answer(200, orjson.dumps(content), (JSON,))


def _behaviour(simulation: Simulation, _: bytes) -> Answer:
    return _json(simulation.behaviour.document)


def _behave(simulation: Simulation, body: bytes) -> Answer:
    simulation.behave(behaviour.parse(orjson.loads(body)))
    return _behaviour(simulation, body)


def _counts(simulation: Simulation, _: bytes) -> Answer:
    return _json({**simulation.log.counts(), "retry_after_violations": simulation.waits.violations})


def _violations(simulation: Simulation, _: bytes) -> Answer:
    return _json([{"target": early.target, "early_by": early.early_by} for early in simulation.waits.listed])


def _clear(simulation: Simulation, _: bytes) -> Answer:
    simulation.clear()
    return _NO_CONTENT


def _revoke(simulation: Simulation, _: bytes) -> Answer:
    return _json({"revoked": simulation.tokens.revoke()})


def _devices(simulation: Simulation, _: bytes) -> Answer:
    return _json(simulation.devices.listed())


def _put_devices(simulation: Simulation, body: bytes) -> Answer:
    simulation.devices.replace(devices.parse(orjson.loads(body)))
    return _devices(simulation, body)


def _delete_devices(simulation: Simulation, _: bytes) -> Answer:
    simulation.devices.replace([])
    return _NO_CONTENT


ROUTES: Mapping[str, Mapping[str, Handler]] = {
    "/_simulator/behaviour": {"GET": _behaviour, "PUT": _behave},
    "/_simulator/messages": {"DELETE": _clear},
    "/_simulator/counts": {"GET": _counts},
    "/_simulator/retry-after-violations": {"GET": _violations},
    "/_simulator/revoke-tokens": {"POST": _revoke},
    "/_simulator/devices": {"GET": _devices, "PUT": _put_devices, "DELETE": _delete_devices},
}
