"""`scripts/soak [--minutes M] [--rate R]`: real processes under load and faults for a long time.

Two web processes, a worker, a scheduler, a mongod and the FCM simulator, with the default lease and pace. 5 % of the
sends fail: 3 % with 503, 1 % with 429, 0.5 % dropped after the accept, 0.5 % unregistered. It ends with 0 if nothing
was lost and the queue's age and the memory of every process stayed flat.
"""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from pathlib import Path
from threading import Event

from notify_server import logs
from scripts.benchmarks.fcm_peer import FcmPeer
from scripts.benchmarks.installation import Installation, installation
from scripts.benchmarks.report import machine
from scripts.benchmarks.soak_check import Sends, broken
from scripts.benchmarks.soak_load import SoakLoad, fill
from scripts.benchmarks.soak_samples import PERIOD, Sample, Sampler, as_table, flatness

FAULTS = {"unavailable": 0.03, "drop_after": 0.005, "unregistered": 0.005, "drop": "stream"}
QUOTA = {"quota": 0.01, "retry_after": {"quota": 5}}  # scattered over all sends
BURST = {"quota": 0.96, "retry_after": {"quota": 5}}  # the same share, a second in a hundred
_BURST_EVERY = 100.0  # seconds
_REST_WITHIN = 300.0  # seconds
_SHOWN = 20  # examples of what is violated


def main() -> int:
    """Run, print a table and the verdict; the exit code."""
    arguments = _arguments()
    logs.configure("warning", "console", "soak")
    print(
        f"{machine()}\n{arguments.minutes:g} minutes at {arguments.rate} recipients/s, 429 {arguments.quota}",
        flush=True,
    )
    arguments.log.parent.mkdir(parents=True, exist_ok=True)
    arguments.log.write_bytes(b"")
    with FcmPeer(recording=True) as peer, installation(peer, web=2, paced=True, log=arguments.log) as running:
        running.start("scheduler")
        fill(running)
        samples, load = _under_load(running, peer, arguments)
        print(as_table(samples), load, sep="\n", flush=True)
        print(f"at rest {_await_rest(running):.0f} s after the end", flush=True)
        problems = _broken(running, peer, load)
    errors = [line for line in arguments.log.read_text().splitlines() if "Traceback" in line]
    return _verdict(samples, problems, errors)


def _under_load(running: Installation, peer: FcmPeer, arguments: argparse.Namespace) -> tuple[list[Sample], SoakLoad]:
    scattered = arguments.quota == "scattered"
    peer.behave(**FAULTS | QUOTA if scattered else FAULTS)
    with SoakLoad(running, arguments.rate, arguments.singles) as load, nullcontext() if scattered else _bursts(peer):
        samples = _watch(Sampler(running, peer), load, arguments.minutes * 60)
    peer.behave()
    return samples, load


def _broken(running: Installation, peer: FcmPeer, load: SoakLoad) -> list[str]:
    with peer.log() as lines:
        sends = Sends(lines)
    print(sends, flush=True)
    return list(broken(running.database, sends, load.broadcasts, load.singles))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--rate", type=int, default=5_000, help="recipients a second")
    parser.add_argument("--singles", type=int, default=50, help="notifications of one user a second, within the rate")
    parser.add_argument("--log", type=Path, default=Path("var/soak.log"), help="where the processes log; overwritten")
    parser.add_argument("--quota", choices=["bursts", "scattered"], default="bursts", help="how the 429 come")
    arguments = parser.parse_args()
    if not 0 < arguments.singles < arguments.rate or arguments.minutes < 1:
        parser.error("it takes a minute at least, and a rate above that of the notifications of one user")
    return arguments


@contextmanager
def _bursts(peer: FcmPeer) -> Iterator[None]:
    """Refuse nearly everything for a second now and then, as a project does that is over its quota."""
    stop = Event()

    def burst() -> None:
        while not stop.wait(_BURST_EVERY / 2):
            peer.behave(**FAULTS | BURST)
            stop.wait(1.0)
            peer.behave(**FAULTS)
            stop.wait(_BURST_EVERY / 2)

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(burst)
        try:
            yield
        finally:
            stop.set()
            running.result()


def _watch(sampler: Sampler, load: SoakLoad, seconds: float) -> list[Sample]:
    began, samples = time.monotonic(), [sampler.look()]
    while time.monotonic() - began < seconds:
        time.sleep(PERIOD)
        load.check()
        samples.append(sampler.look())
    return samples


def _await_rest(running: Installation) -> float:
    """Wait until nothing waits to be expanded or sent; how long that took, in seconds."""
    began, database = time.monotonic(), running.database
    while database.batches.find_one({"stage": "dispatch"}) or database.notifications.find_one({"expanded": False}):
        if time.monotonic() - began > _REST_WITHIN:
            raise TimeoutError("the queue did not run empty")
        time.sleep(1.0)
    return time.monotonic() - began


def _verdict(samples: Sequence[Sample], problems: Sequence[str], errors: Sequence[str]) -> int:
    found = [
        *flatness(samples),
        (f"violated invariants: {len(problems)}", not problems),
        (f"unforeseen errors in the log: {len(errors)}", not errors),
    ]
    for text, well in found:
        print("ok    " if well else "FAILED", text)
    print(*problems[:_SHOWN], *errors[:_SHOWN], sep="\n")
    return 0 if all(well for _, well in found) else 1


if __name__ == "__main__":
    sys.exit(main())
