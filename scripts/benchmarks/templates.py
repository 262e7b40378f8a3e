"""What a template of three locales costs a broadcast: one group is sent a message and a template, in turns.

The share is of processor time per recipient, of workers and mongod together: rates vary with what else a machine does.
"""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import fmean
from typing import Any

from notify_server.domain.template import Content, Source, Template, Variable, VariableType
from notify_server.services.parsing import parse
from notify_server.services.rendering import render
from scripts.benchmarks.delivery import Broadcast, measure
from scripts.benchmarks.fcm_peer import FcmPeer
from scripts.benchmarks.installation import Installation, installation
from scripts.benchmarks.population import fill_group
from scripts.benchmarks.report import Result

RECIPIENTS = 100_000
LOCALES = ("en", "de", "fr")
_ROUNDS = 3
_RENDERINGS = 300
_GROUP, _NAME = "school", "timetable"
_MESSAGE = {"title": "Timetable", "body": "Monday begins at nine.", "data": {"screen": "timetable"}}
_SOURCES = {
    "en": {"title": "Timetable of {{ day }}", "body": "{{ day }} begins at {{ hour }}."},
    "de": {"title": "Stundenplan: {{ day }}", "body": "{{ day }} geht es um {{ hour }} los."},
    "fr": {"title": "Horaire de {{ day }}", "body": "{{ day }} commence à {{ hour }}."},
}
_TEMPLATE = {
    "variables": {"day": {}, "hour": {}},
    "locales": _SOURCES,
    "data": {"screen": "timetable"},
}
_GIVEN = {"day": "Monday", "hour": "nine"}


@dataclass(frozen=True, slots=True)
class Share:
    """Processor time in µs per recipient without and with a template, and what of the latter the template is."""

    message_us: float
    template_us: float

    @property
    def share(self) -> float:
        """The part of dispatch that the template adds; less than nothing is noise."""
        return (self.template_us - self.message_us) / self.template_us


def run() -> Result:
    """Measure what choosing among three locales costs, and what rendering them does."""
    with FcmPeer() as peer, installation(peer) as running:
        found = compare(running, RECIPIENTS)
    figures = {
        "template_us": found.template_us,
        "share": found.share,
        "rendering_us": rendering_us(),
    }
    return Result("templates", figures, {"message_us": found.message_us})


def compare(running: Installation, recipients: int) -> Share:
    """Send to a new group of so many users of three locales, a message and a template in turns."""
    fill_group(running.database, _GROUP, recipients, LOCALES)
    with running.client() as backend:
        backend.put(f"/v1/templates/{_NAME}", json=_TEMPLATE).raise_for_status()
    payloads: list[dict[str, Any]] = [{"message": _MESSAGE}, {"template": _NAME, "variables": _GIVEN}]
    costs: list[list[float]] = [[], []]
    for _ in range(_ROUNDS):
        for said, cost in zip(payloads, costs, strict=True):
            cost.append(_cost(measure(running, recipients, said | {"groups": [_GROUP], "category": "timetable"})))
    return Share(fmean(costs[0]), fmean(costs[1]))


def rendering_us() -> float:
    """Processor time of rendering a template in its three locales, once for a notification of any size."""
    sources = {locale: Source(**parts) for locale, parts in _SOURCES.items()}
    variables = {name: Variable(VariableType.STRING) for name in _GIVEN}
    template = Template(_NAME, 1, Content("en", sources, variables), datetime.now(UTC))
    parsed = parse(template.content)
    began = time.process_time()
    for _ in range(_RENDERINGS):
        render(template, parsed, _GIVEN, mails=False)
    return (time.process_time() - began) / _RENDERINGS * 1e6


def _cost(broadcast: Broadcast) -> float:
    return broadcast.worker_cpu_us + broadcast.mongod_cpu_us
