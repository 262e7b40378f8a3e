"""Which links a notification may carry: by scheme and by host, as configured."""

from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import urlsplit

from notify_server.domain.notification import Message
from notify_server.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class LinkPolicy:
    """`schemes` and `hosts` in small letters; `*.example.org` stands for every host below it, no hosts for any."""

    schemes: Collection[str]
    hosts: Collection[str]

    def check(self, message: Message) -> None:
        """Raises InvalidInput for a link that leads elsewhere."""
        if message.link is not None and (fault := self.fault(message.link)):
            raise InvalidInput({"message.link": [fault]})

    def fault(self, link: str) -> str | None:
        """What is wrong with a link; None: it leads where links may lead."""
        parts = urlsplit(link)
        if parts.scheme not in self.schemes:
            return f"Must begin with {' or '.join(f'{scheme}://' for scheme in self.schemes)}."
        if self.hosts and not self._may_lead_to(parts.hostname or ""):
            return "Leads to a host that is not among NOTIFY_LINK_HOSTS."
        return None

    def _may_lead_to(self, host: str) -> bool:
        host = host.removesuffix(".")
        return any(host.endswith(one[1:]) if one.startswith("*.") else host == one for one in self.hosts)
