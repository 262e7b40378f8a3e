"""What a browser is pointed at: the service, and the phones of its users."""

from dataclasses import dataclass
from functools import cached_property

import httpx

from notify_server.bootstrap import Services
from notify_server.domain.device import Platform, Target, TargetType
from notify_server.domain.notification import Audience, Message
from notify_server.services.acceptance import Draft
from notify_server.services.enrolment import Installation
from notify_server.storage.documents import Store
from tests.fcm_simulator import SimulatorProcess
from tests.service import Service, until


@dataclass
class Site:
    """`services` are for what is not done in the browser."""

    service: Service
    fcm: SimulatorProcess
    services: Services
    database: Store

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.service.config.port}/console"

    @cached_property
    def token(self) -> str:
        """A server token of every scope."""
        return self.services.server_tokens.create("ops", [])

    def await_ready(self) -> None:
        until(self._is_ready, "the web process")

    def phone(self, user: str, *, received_after: float | None = 0.2, read_after: float | None = None) -> None:
        """Give a user a phone, which reports receipts so many seconds after a message has arrived; None: never."""
        target = f"target-of-{user}"
        self.services.enrolment.register(
            user, "phone", Installation(Platform.ANDROID, Target(TargetType.TOKEN, target))
        )
        told = {
            "target": target,
            "api": self.url.removesuffix("/console"),
            "token": self.services.user_tokens.mint(user)[0],
            "device_id": "phone",
            "received_after": received_after,
            "read_after": read_after,
        }
        self._phones.append(told)
        self.fcm.devices(self._phones)

    def send(self, *users: str, title: str, **fields: object) -> str:
        """Hand over a notification; its id."""
        draft = Draft(Message(title), Audience(tuple(sorted(users))), **fields)  # type: ignore[arg-type]
        return self.services.acceptance.accept(draft, "backend", None).id

    def stands(self, notification: str, user: str, status: str) -> bool:
        """Whether the user's entry has this status."""
        found = self.services.inspection.entry(notification, user)
        return found is not None and found["status"] == status

    @cached_property
    def _phones(self) -> list[dict[str, object]]:
        return []

    def _is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/sign-in").is_success
        except httpx.TransportError:
            return False
