"""What the faults cost, as people read it."""

from collections.abc import Iterator, Sequence

from tests.faults.scene import Row


def table(rows: Sequence[Row]) -> Iterator[str]:
    """One line a fault; `!` marks what is out of bounds."""
    yield f"{'fault':<62}{'recipients':>11}{'lost':>6}{'duplicates (window)':>21}{'seconds (bound)':>17}"
    for row in rows:
        duplicates, seconds = f"{row.duplicates} ({row.window})", f"{row.seconds:.1f} ({row.within:.0f})"
        mark = "" if row.passed else " !"
        yield f"{row.fault:<62}{row.recipients:>11}{row.lost:>6}{duplicates:>21}{seconds:>17}{mark}"
