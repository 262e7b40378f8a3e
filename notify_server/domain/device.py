"""A device: one installation of the app, and the FCM target by which it is reached."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Platform(StrEnum):
    """What the app runs on."""

    ANDROID = "android"
    IOS = "ios"
    WEB = "web"


class TargetType(StrEnum):
    """How FCM addresses the installation (FCM HTTP v1, `Message.target`)."""

    TOKEN = "token"  # noqa: S105 - the name of FCM's field
    FID = "fid"


@dataclass(frozen=True, slots=True)
class Target:
    """One FCM target. `value` is a secret of the device: it is never logged."""

    type: TargetType
    value: str

    def __repr__(self) -> str:
        return f"Target({self.type.value}, …{self.value[-4:]})"


@dataclass(frozen=True, slots=True)
class Device:
    """A registered installation of `user`. `reason` says why an inactive one is inactive.

    `stale`: nothing was heard of it for so long that FCM takes its target for abandoned.
    """

    user: str
    id: str
    platform: Platform
    target: Target
    active: bool
    registered_at: datetime
    confirmed_at: datetime
    app_version: str | None = None
    locale: str | None = None
    reason: str | None = None
    stale: bool = False
