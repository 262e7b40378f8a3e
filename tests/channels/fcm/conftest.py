"""One simulator for the channel's tests, and both transports that lead to it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from notify_server.channels.fcm.transport import open_transport
from notify_server.config import Config
from notify_server.domain.device import Target, TargetType
from notify_server.domain.notification import Audience, Message, Notification
from notify_server.domain.outcome import Outcome
from notify_server.domain.push import Encoded, PushTransport
from notify_server.simulator import certificates
from scripts.benchmarks.connect_proxy import FCM_HOST, ConnectProxy
from scripts.benchmarks.sending import environment
from tests.fcm_simulator import SimulatorProcess

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
Opener = Callable[..., PushTransport]


def a_notification(**fields: Any) -> Notification:
    """A notification of NOW that differs from an ordinary one in `fields`."""
    message = fields.pop("message", Message("Booking confirmed", "Monday 9:00"))
    return Notification(**{"id": "n1", "message": message, "audience": Audience(), "created_at": NOW, **fields})


def tokens(*values: str) -> list[Target]:
    """Registration tokens as targets."""
    return [Target(TargetType.TOKEN, value) for value in values]


def send(transport: PushTransport, encoded: Encoded, targets: list[Target]) -> list[Outcome]:
    """Send one message; the outcomes."""
    (outcomes,) = transport.begin([(encoded, targets)]).all()
    return list(outcomes)


@pytest.fixture(scope="package")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatorProcess]:
    """A simulator whose certificate also bears FCM's own name, for the SDK."""
    directory: Path = tmp_path_factory.mktemp("fcm")
    certificates.ensure(directory, FCM_HOST)
    with SimulatorProcess(directory=directory) as process:
        yield process


@pytest.fixture
def fcm(simulator: SimulatorProcess) -> Iterator[SimulatorProcess]:
    """The simulator, well-behaved and without memories."""
    simulator.behave()
    simulator.clear()
    with environment({"GOOGLE_APPLICATION_CREDENTIALS": str(simulator.credentials_file)}):
        yield simulator


@contextmanager
def opener(kind: str, simulator: SimulatorProcess) -> Iterator[Opener]:
    """Opens transports of one kind that lead to the simulator, and closes them in the end."""
    with ExitStack() as stack:
        settings: dict[str, Any] = {"fcm_transport": kind}
        leads: Mapping[str, str]
        if kind == "sdk":
            proxy = stack.enter_context(ConnectProxy(simulator.port))
            leads = proxy.environment(simulator.ca_file, simulator.credentials_file)
        else:
            settings |= {"fcm_endpoint": simulator.url, "fcm_ca_file": str(simulator.ca_file)}
            leads = {"GOOGLE_APPLICATION_CREDENTIALS": str(simulator.credentials_file)}
        stack.enter_context(environment(leads))

        def open_(**more: Any) -> PushTransport:
            transport = open_transport(Config(**settings, **more))
            stack.callback(transport.close)
            return transport

        yield open_


@pytest.fixture(params=["curl", "sdk"])
def open_one(request: pytest.FixtureRequest, fcm: SimulatorProcess) -> Iterator[Opener]:
    """Opens the transport under test."""
    with opener(request.param, fcm) as open_:
        yield open_


@pytest.fixture
def open_curl(fcm: SimulatorProcess) -> Iterator[Opener]:
    """Opens the libcurl transport, for what only it promises."""
    with opener("curl", fcm) as open_:
        yield open_
