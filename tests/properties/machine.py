"""Everything that can happen, as rules that hypothesis puts in any order, each as far as it likes."""

from hypothesis import strategies as st
from hypothesis.stateful import initialize

from tests.properties.drawn import PROCESSES, some_users
from tests.properties.judgement import at_the_end
from tests.properties.races import Races
from tests.properties.stage import demand
from tests.properties.world import NAMED
from tests.services.scene import LEASE


class Machine(Races):
    """From the first users to the moment in which every notification is over."""

    _late = False

    @initialize(late=st.booleans(), members=some_users)
    def begin(self, late: bool, members: list[str]) -> None:
        """`late`: whoever is suspended at the end wakes up when all is over, and is not killed."""
        self._late = late
        self.change("choir", members, [], None)
        for user in NAMED[::2]:
            self.register(user, user, None)

    def teardown(self) -> None:
        """Let everything come to rest, until each notification is over, and judge it."""
        self.heal()
        if self._late:
            self._oversleep()
        for process in PROCESSES:
            self.kill(process)
        self.world.forward(LEASE)
        self.world.rest(self.holds_at_rest)
        self._probe()
        demand(at_the_end(self.world, self.ledger))

    def _oversleep(self) -> None:
        """Whoever is suspended wakes up when others have done everything."""
        sleeper = self.world.workers["worker-0"]
        self.world.forward(LEASE)
        self.world.workers["worker-0"] = self.world.spare()
        self.world.rest(self.holds_at_each_step)
        self.world.finish()
        sleeper.engine.delivery.finish()

    def _probe(self) -> None:
        """Send to every device once more, so that FCM says which targets are dead."""
        identity = self.world.scene.accept(*NAMED)
        self.expect(identity, set(NAMED), set(NAMED))
        self.world.rest(self.holds_at_rest)
