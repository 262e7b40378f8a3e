"""Close races: one recipient, and something that happens while a worker sends to them, or just before it dies."""

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from notify_server.domain.registry import Status
from notify_server.services.reception import Report
from tests.properties.backend import Backend
from tests.properties.drawn import MOST, how_far, points, roles, users, workers
from tests.properties.processes import Processes
from tests.services.scene import LEASE

_EVENTS = ("remove", "receipt", "cancel", "takeover", "expiry")


class Races(Backend, Processes):
    """Rules that put together what other rules rarely meet in."""

    @precondition(lambda self: len(self.ledger.notifications) < 3 * MOST)
    @rule(
        worker=workers, user=users, far=points, meanwhile=st.sampled_from(_EVENTS), further=how_far, dies=st.booleans()
    )
    def race(self, *, worker: str, user: str, far: int, meanwhile: str, further: int | None, dies: bool) -> None:
        """Something happens to the one recipient of a notification while a worker sends it, or just before it dies."""
        identity = self._begin_to_send(worker, user, far)
        self._happens(meanwhile, identity, user, worker)
        self._end_to_send(worker, further, dies)

    @precondition(lambda self: len(self.ledger.notifications) < 3 * MOST)
    @rule(worker=workers, user=users, far=points, registered=st.integers(0, 9), further=how_far, dies=st.booleans())
    def race_for_a_device(
        self, *, worker: str, user: str, far: int, registered: int, further: int | None, dies: bool
    ) -> None:
        """The first device is registered, to its end or not, while a worker finds that there is none."""
        self.world.real["devices"].delete_many({"_id.u": user})
        self._begin_to_send(worker, user, far)
        self.register(user, user, registered)
        self._end_to_send(worker, further, dies)
        self.world.resume("web", "app")

    @precondition(lambda self: len(self.ledger.notifications) < 3 * MOST)
    @rule(worker=workers, user=users, far=points, role=roles, dies=st.booleans())
    def race_to_expand(self, *, worker: str, user: str, far: int, role: str, dies: bool) -> None:
        """An expander stands still until its leases are over, another worker takes over, and it wakes up or dies."""
        self.expect(self.world.scene.accept(user, ttl=3600), {user}, {user})
        self.work([(worker, "expand", far)])
        self._happens("takeover", "", user, worker, role)
        if dies:
            self.kill(worker)
        self.work([(worker, "expand", None), (worker, "dispatch", None)])

    def _begin_to_send(self, worker: str, user: str, far: int) -> str:
        identity = self.world.scene.accept(user, ttl=3600)
        self.expect(identity, {user}, {user})
        self.work([(worker, "expand", None), (worker, "dispatch", far)])
        return identity

    def _end_to_send(self, worker: str, further: int | None, dies: bool) -> None:
        self.work([(worker, "dispatch", further)])
        if dies:
            self.kill(worker)

    def _happens(self, what: str, identity: str, user: str, worker: str, role: str = "dispatch") -> None:
        match what:
            case "remove":
                self.remove_device(user, user)
            case "receipt":
                self.world.scene.services.reception.report(user, [Report(identity, Status.READ)])
            case "cancel":
                self.cancel_now(identity)
            case "takeover":
                self.world.forward(LEASE)
                self.work([("worker-1" if worker == "worker-0" else "worker-0", role, None)])
            case "expiry":
                self.world.forward(3600)
                self.world.scene.upkeep.expire()
