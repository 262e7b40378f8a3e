"""What users, their devices, open sockets and FCM do."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from notify_server.domain.device import Platform
from notify_server.domain.registry import Status
from notify_server.domain.user import Mutable
from notify_server.errors import NotFound
from notify_server.services.announcement import Reached
from notify_server.services.enrolment import Installation
from notify_server.services.reception import Report
from notify_server.simulator.outcomes import RETRYABLE
from tests.builders import a_target
from tests.properties.drawn import DEADLY, faults, how_far, positions, receipts, some_users, users
from tests.properties.stage import Stage
from tests.properties.world import NAMED, World


class Phones(Stage):
    """Rules of everything that is reached."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._generations = dict.fromkeys(NAMED, 0)  # of targets: what FCM may have called dead is not used again
        self._faults: dict[str, dict[str, Any]] = {}
        self._registering: Callable[[], object] = bool

    @rule(user=users, owner=users, far=how_far)
    def register(self, user: str, owner: str, far: int | None) -> None:
        """The app on the phone of `owner`, where maybe another user has logged in, registers."""
        target = f"{owner}{self._generations[owner]}:phone"
        installation = Installation(Platform.ANDROID, a_target(target))
        registering = partial(self.world.scene.services.enrolment.register, user, f"{owner}'s", installation)
        if self.world.act("web", "app", registering, far):
            self.ledger.owners[target].add(user)
            self._registering = registering

    def register_again(self) -> None:
        """As an app does that got no answer."""
        self._registering()

    @rule(user=users, owner=users)
    def remove_device(self, user: str, owner: str) -> None:
        """A user removes a device, if they have it."""
        with suppress(NotFound):
            self.world.scene.services.enrolment.delete(user, f"{owner}'s")

    @rule(user=users, far=how_far)
    def mute(self, user: str, far: int | None) -> None:
        """A user unsubscribes, also from what is on its way."""
        muting = partial(self.world.scene.services.subscriptions.mute, user, Mutable.GROUPS, "choir")
        self.world.act("web", "muting", muting, far)

    @rule(user=users)
    def unmute(self, user: str) -> None:
        """A user subscribes again."""
        self.world.real["users"].update_one({"_id": user}, {"$set": {"muted.groups": []}})

    @precondition(lambda self: self.ledger.notifications)
    @rule(user=users, which=positions, statuses=receipts, ago=st.sampled_from([0, 5, 7200, -60]))
    def report(self, user: str, which: int, statuses: list[Status], ago: float) -> None:
        """A device reports: early, late, twice, in any order, or what was never sent to it."""
        for identity in self.notification(which):
            at = self.world.clock() - timedelta(seconds=ago)
            self.world.scene.services.reception.report(user, [Report(identity, status, at) for status in statuses])

    @rule(online=some_users)
    def emit(self, online: list[str]) -> None:
        """A gateway looks for announcements, and emits them to these users."""
        gateway = self.world.gateway
        while batches := gateway.following(self.world.announced):
            self.world.announced = batches[-1].sequence or 0
            here = [Reached(batch, [user for user in batch.users if user in online]) for batch in batches]
            for announced in gateway.read(here):
                reached = sorted(user for _, some in announced.told for user in some)
                gateway.emitted([(announced.notification, reached)])
                self.ledger.emitted |= {(announced.notification.id, user) for user in reached}

    @rule(owner=users, fault=faults, retry_after=st.sampled_from([None, 20, 300]))
    def fcm_fails(self, owner: str, fault: str | None, retry_after: int | None) -> None:
        """FCM answers so for the phone of `owner` from now on, or well for all whose app was not removed."""
        if fault is None:
            self.heal()
            return
        waiting = {"retry_after": {fault: retry_after}} if fault in RETRYABLE else {}
        self._faults[f"{owner}{self._generations[owner]}:"] = {fault: 1.0, "drop": "stream", **waiting}
        self._generations[owner] += fault in DEADLY
        self.world.disturbed |= fault == "drop_after"
        self.world.fcm.behave(prefixes=self._faults)

    def heal(self) -> None:
        """Let FCM answer well from now on."""
        self._faults.clear()
        self.world.fcm.behave()
