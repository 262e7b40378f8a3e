"""What our own processes do, and how they die."""

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.properties.drawn import PROCESSES, how_far, jobs, roles, schedulers, waits, workers
from tests.properties.phones import Phones


class Processes(Phones):
    """Rules of workers, schedulers, death and time."""

    @rule(turns=st.lists(st.tuples(workers, roles, how_far), min_size=1, max_size=5))
    def work(self, turns: list[tuple[str, str, int | None]]) -> None:
        """Expanders, dispatchers and those who settle take turns, or wake up in the middle of theirs."""
        for worker, role, far in turns:
            self.world.act(worker, role, getattr(self.world.workers[worker], role), far)

    @rule(worker=workers, polite=st.booleans())
    def keep_or_resign(self, worker: str, polite: bool) -> None:
        """A worker keeps its leases; or it is stopped, when it is not in the middle of something."""
        if polite and not self.world.suspended(worker):
            self.world.workers[worker].resign()
        else:
            self.world.workers[worker].engine.leasing.renew()

    @rule(process=st.sampled_from(PROCESSES))
    def kill(self, process: str) -> None:
        """A process dies, in the middle of something or not. An app that got no answer registers again."""
        unanswered = self.world.kill(process)
        if ("web", "app") in unanswered:
            self.register_again()

    @rule(scheduler=schedulers, job=jobs, far=how_far)
    def upkeep(self, scheduler: str, job: str, far: int | None) -> None:
        """A scheduler does one of its jobs, or goes on with one."""
        self.world.act(scheduler, "job", self.world.jobs[job], far)

    @rule(seconds=waits)
    def wait(self, seconds: float) -> None:
        """Time passes."""
        self.world.forward(seconds)
