"""What a template of three locales costs a broadcast: one group is sent a message and a template, in turns.

What is compared is processor time per recipient: rates vary with what else a machine does. The first of two that are
compared is the message one time, the template the next, as the registry grows meanwhile; medians, as a neighbour may
disturb one of them.
"""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median
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
_ROUNDS = 4
_RENDERINGS = 300
_NAME = "timetable"
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
class Comparison:
    """Medians of processor time in µs per recipient, of workers and of mongod."""

    message_worker_us: float
    message_mongod_us: float
    template_worker_us: float
    template_mongod_us: float

    @property
    def message_us(self) -> float:
        """Of both, for a message."""
        return self.message_worker_us + self.message_mongod_us

    @property
    def template_us(self) -> float:
        """Of both, for a template."""
        return self.template_worker_us + self.template_mongod_us


def run() -> Result:
    """Measure what choosing among three locales costs, by the users' profiles and by their devices; and rendering."""
    with FcmPeer() as peer, installation(peer) as running:
        fill_group(running.database, "profiles", RECIPIENTS, locales=LOCALES)
        fill_group(running.database, "devices", RECIPIENTS, spoken=LOCALES)
        found = {group: compare(running, group, RECIPIENTS) for group in ("profiles", "devices")}
    once = rendering_us()
    figures, reference = {"rendering_us_a_notification": once}, dict[str, float]()
    for group, costs in found.items():
        added = costs.template_us - costs.message_us + once / RECIPIENTS
        figures |= {
            f"{group}_added_percent_of_dispatch": 100 * added / costs.message_us,  # less than nothing is noise
            f"{group}_worker_us": costs.template_worker_us,
            f"{group}_mongod_us": costs.template_mongod_us,
        }
        reference |= {
            f"{group}_message_worker_us": costs.message_worker_us,
            f"{group}_message_mongod_us": costs.message_mongod_us,
        }
    return Result("templates", figures, reference)


def compare(running: Installation, group: str, recipients: int, rounds: int = _ROUNDS) -> Comparison:
    """Send to a group of so many a message and a template in turns, after one of each."""
    with running.client() as backend:
        backend.put(f"/v1/templates/{_NAME}", json=_TEMPLATE).raise_for_status()
    addressed = {"groups": [group], "category": "timetable"}
    payloads: list[dict[str, Any]] = [{"message": _MESSAGE}, {"template": _NAME, "variables": _GIVEN}]
    found: list[list[Broadcast]] = [[], []]
    for round_ in range(-1, rounds):
        for which in (0, 1) if round_ % 2 else (1, 0):
            sent = measure(running, recipients, payloads[which] | addressed)
            if round_ >= 0:
                found[which].append(sent)
    workers = [median(each.worker_cpu_us for each in sent) for sent in found]
    mongods = [median(each.mongod_cpu_us for each in sent) for sent in found]
    return Comparison(workers[0], mongods[0], workers[1], mongods[1])


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
