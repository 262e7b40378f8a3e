"""Mails that are sent for real, to a mail catcher."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime

from notify_server.domain.mail import mail_id
from notify_server.domain.registry import Reason
from notify_server.storage.blocked_addresses import BlockedAddresses
from scripts.benchmarks.installation import Installation

_WITHIN = 30.0  # seconds
_HTML = """<!doctype html><html><body style="margin:0;background:#f2f4f7;font-family:sans-serif">
<div style="max-width:34rem;margin:1.5rem auto;padding:1.5rem;background:#fff;border-radius:.5rem">
<h1 style="font-size:1.25rem;color:#3346b8">{{ event }}</h1><p>Good morning,</p>
<p>your ticket for <b>{{ event }}</b> is in the app. Doors open at 18:00.</p>
<p><a href="https://school.example/tickets" style="color:#3346b8">Show the ticket</a></p></div></body></html>"""
_TEMPLATE = {
    "variables": {"event": {"example": "The summer concert"}},
    "locales": {
        "en": {
            "title": "{{ event }}: your ticket",
            "body": "It is in the app.",
            "subject": "Your ticket for {{ event }}",
            "text": "Good morning,\n\nyour ticket for {{ event }} is in the app. Doors open at 18:00.\n",
            "html": _HTML,
        }
    },
}


@dataclass(frozen=True, slots=True)
class Mails:
    """A notification that went by push and mail, one of its users, and mails of that: one sent, one held back."""

    notification: str
    user: str
    sent: str
    blocked: str


def send(running: Installation) -> Mails:
    """Mail some users, of whom the address of one is blocked."""
    users = [f"user-{number:04}" for number in range(6)]
    with running.client() as backend:
        for user in users:
            backend.put(f"/v1/users/{user}", json={"email": f"{user}@school.example"}).raise_for_status()
        blocked = BlockedAddresses(running.database)
        blocked.block(f"{users[1]}@school.example", Reason.BOUNCED, "5.1.1", datetime.now(UTC))
        backend.put("/v1/templates/ticket", json=_TEMPLATE).raise_for_status()
        payload = {"template": "ticket", "variables": {"event": "The summer concert"}, "users": users}
        identity = running.post(backend, payload | {"channels": ["push", "email"], "category": "news"})
        until = time.monotonic() + _WITHIN
        while len(backend.get("/v1/mails", params={"status": "sent"}).json()["mails"]) < len(users) - 1:
            if time.monotonic() > until:
                raise TimeoutError("the mails were not sent")
            time.sleep(0.1)
    return Mails(identity, users[0], mail_id(identity, users[0]), mail_id(identity, users[1]))
