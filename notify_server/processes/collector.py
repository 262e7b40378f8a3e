"""Python's cyclic garbage collector, which has little to do here: what we make and drop is in no cycle, as a rule."""

import gc

_ALLOCATIONS = 50_000  # new containers until the collector looks at the youngest: some ten batches


def spare_the_collector() -> None:
    """Let the collector alone with what there is, and come seldom. To be called once, when a process has been set up.

    By its defaults it looks after every 700 containers, and now and then at all that was ever imported.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS, 20, 50)
