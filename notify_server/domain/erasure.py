"""The erasure of a person: how they are named afterwards, and what was removed."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

REMEMBERED = timedelta(days=30)  # longer than any worker stands still with a page in its hands, and goes on

_LENGTH = 32  # hexadecimal digits: 128 bits


@dataclass(frozen=True, slots=True)
class Erasure:
    """The erasure of the person who is known as `pseudonym` from now on; `user` is their id until it is complete.

    It reaches what was accepted until `at`. `removed` counts what went, by kind. `calls` counts who found more.
    """

    pseudonym: str
    at: datetime
    user: str | None = None
    removed: Mapping[str, int] = field(default_factory=dict)
    calls: int = 0

    @property
    def complete(self) -> bool:
        """Whether nothing of the person is left."""
        return self.user is None


def pseudonym(key: bytes, user: str) -> str:
    """What stands for `user` where their id must not: nobody without the key can test a guess."""
    return hmac.digest(key, user.encode(), "sha256").hex()[:_LENGTH]
