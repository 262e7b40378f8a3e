"""Which core the measured code has, and which one everybody else."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def on_first_core() -> Iterator[None]:
    """Keep this thread, and the threads it starts, on one core, if there is another for everybody else."""
    before = os.sched_getaffinity(0)
    if len(before) > 1:
        os.sched_setaffinity(0, {min(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def on_last_core() -> tuple[str, ...]:
    """What to put before a command so that it keeps off the first core; nothing if that cannot be had."""
    usable = os.sched_getaffinity(0)
    if len(usable) == 1 or not shutil.which("taskset"):
        return ()
    return ("taskset", "-c", str(max(usable)))
