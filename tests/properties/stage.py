"""What all rules share: the world, what has been done to it, and the judgement."""

from collections.abc import Sequence

from hypothesis.stateful import RuleBasedStateMachine, invariant

from tests.properties.judgement import Expected, Ledger, at_each_step, at_rest
from tests.properties.world import World


class Stage(RuleBasedStateMachine):
    """`world` is fresh for each example."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world
        self.ledger = Ledger()

    def expect(self, notification: str, must: set[str], may: set[str], *, push: bool = True) -> None:
        """Note a notification, and who must and who may be its recipients."""
        self.ledger.notifications[notification] = Expected(must, may, push)

    def notification(self, position: int) -> list[str]:
        """The one at this position, if there is one."""
        return list(self.ledger.notifications)[position:][:1]

    @invariant()
    def holds_at_each_step(self) -> None:
        """See judgement."""
        demand(at_each_step(self.world, self.ledger))

    def holds_at_rest(self) -> None:
        """See judgement."""
        demand(at_rest(self.world, self.ledger))


def demand(problems: Sequence[str]) -> None:
    """Raise AssertionError with all of `problems`, if any."""
    if problems:
        raise AssertionError("\n".join(problems))
