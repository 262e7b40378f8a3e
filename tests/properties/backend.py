"""What the backend does: it hands over payloads, cancels them, asks for a resend, changes groups."""

from contextlib import suppress
from datetime import timedelta
from functools import partial

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from notify_server.domain.notification import Channel, ResendPolicy
from notify_server.errors import Conflict
from tests.properties.drawn import (
    EVERYONE,
    GROUPS,
    MOST,
    channels,
    delays,
    how_far,
    policies,
    positions,
    some_users,
    ttls,
    wide,
)
from tests.properties.stage import Stage
from tests.properties.world import NAMED, NOISE, SILENT, World


class Backend(Stage):
    """Rules of the backend."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._joined: dict[str, set[str]] = {"choir": set(), "crowd": set(SILENT)}  # at any time
        self._leaving: set[str] = set()  # in the last change of a group, which may not be over

    @precondition(lambda self: len(self.ledger.notifications) < MOST)
    @rule(named=some_users, wide=wide, channels=channels, policy=policies, ttl=ttls, delay=delays)
    def accept(
        self, *, named: list[str], wide: str, channels: tuple[Channel, ...], policy: ResendPolicy, ttl: int, delay: int
    ) -> None:
        """A payload arrives, for these users and a group, or for everyone."""
        named = named if named or wide else ["a"]
        must, may = self._selected(wide)
        identity = self.world.scene.accept(
            *named,
            groups=(wide,) if wide in GROUPS else (),
            everyone=wide == EVERYONE,
            category=NOISE if wide in (EVERYONE, "crowd") else None,
            channels=channels,
            resend=policy,
            ttl=ttl,
            send_at=self.world.clock() + timedelta(seconds=delay) if delay else None,
        )
        self.expect(identity, {*named, *must}, {*named, *may}, push=Channel.PUSH in channels)

    def _selected(self, wide: str) -> tuple[set[str], set[str]]:
        """Who is a member for certain, and who may become one."""
        members = self.world.real["users"]
        if wide == EVERYONE:
            return set(members.distinct("_id")), {*SILENT, *NAMED}
        if wide in GROUPS:
            return set(members.distinct("_id", {"groups": wide})) - self._leaving, self._joined[wide]
        return set(), set()

    @rule(group=st.sampled_from(GROUPS), joining=some_users, leaving=some_users, far=how_far)
    def come_and_go(self, group: str, joining: list[str], leaving: list[str], far: int | None) -> None:
        """Members come and go, also while an audience is expanded."""
        self.change(group, joining, [user for user in leaving if user not in joining], far)

    def change(self, group: str, joining: list[str], leaving: list[str], far: int | None) -> None:
        """Let users join and leave, and note what that means for audiences that are not expanded."""
        change = partial(self.world.scene.services.membership.change, group, joining, leaving)
        self._joined[group] |= set(joining)
        if not self.world.acting("web", "backend"):
            self._leaving = set(leaving)
        for found in self.world.real["notifications"].find({"expanded": False, "audience.groups": group}):
            expected = self.ledger.notifications[str(found["_id"])]
            expected.may |= set(joining)
            expected.must -= set(leaving).difference(found["audience"]["users"])
        self.world.act("web", "backend", change, far)

    @precondition(lambda self: self.ledger.notifications)
    @rule(which=positions, far=how_far)
    def cancel(self, which: int, far: int | None) -> None:
        """The backend takes a notification back."""
        for identity in self.notification(which):
            self.world.act("web", "cancel", partial(self.cancel_now, identity), far)

    def cancel_now(self, identity: str) -> None:
        """Cancel it, if that is still possible."""
        with suppress(Conflict):
            self.world.scene.services.cancellation.cancel(identity)

    @precondition(lambda self: self.ledger.notifications)
    @rule(which=positions, named=st.none() | some_users, far=how_far)
    def resend(self, which: int, named: list[str] | None, far: int | None) -> None:
        """The backend asks for a notification to be sent again."""
        for identity in self.notification(which):
            self.world.act("web", "resend", partial(self._resend, identity, named), far)

    def _resend(self, identity: str, named: list[str] | None) -> None:
        with suppress(Conflict):
            self.world.scene.services.resending.request(identity, named)
