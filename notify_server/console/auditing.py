"""Lines of the audit log for what is done here: written before it is done, and completed after."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus

from flask import request

from notify_server.api import remote
from notify_server.api.context import current_client, services
from notify_server.errors import Refused
from notify_server.services.audit import Change, Kind, Party


@dataclass(slots=True)
class Outcome:
    """What came of it: `made` names what there is now that was not there before."""

    made: Party | None = None


@contextmanager
def recorded(
    action: str, fields: Iterable[str], changed: Party | None = None, *, status: int = HTTPStatus.SEE_OTHER
) -> Iterator[Outcome]:
    """What is done inside has its line: by whom, from where, and to what; and how it ended, with `status` if well."""
    route = f"{request.method} {request.script_root}{request.url_rule}".replace("<", "{").replace(">", "}")
    actor = Party(Kind.CLIENT, current_client().id)
    change = Change(actor, action, route, changed, sorted(fields), remote.address())
    line, outcome, ended = services().audit.begin(change), Outcome(), HTTPStatus.INTERNAL_SERVER_ERROR.value
    try:
        yield outcome
        ended = int(status)
    except Refused as error:
        ended = error.status
        raise
    finally:
        services().audit.end(line, change, ended, outcome.made)
