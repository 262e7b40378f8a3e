"""Which fault befalls a message: drawn by hash, so that a run repeats whatever the order of the requests."""

from collections import Counter
from hashlib import blake2b

from notify_server.simulator.behaviour import Rule
from notify_server.simulator.outcomes import Fault

_SCALE = 2**64


class Draws:
    """Draws for each key's first, second, … request. The same seed, key and ordinal give the same draw."""

    def __init__(self) -> None:
        self._drawn: Counter[str] = Counter()

    def message(self, rule: Rule, seed: int, target: str) -> tuple[Fault | None, float]:
        """The fault of the next message for `target`, if any, and its latency in seconds."""
        fraction, spread = self.fractions(seed, target)
        low, high = rule.latency
        fault = next((fault for limit, fault in rule.thresholds if fraction < limit), None)
        return fault, low + (high - low) * spread

    def fractions(self, seed: int, key: str) -> tuple[float, float]:
        """Two independent numbers in [0, 1) for the next request of `key`."""
        self._drawn[key] += 1
        digest = blake2b(f"{seed}\0{self._drawn[key]}\0{key}".encode(), digest_size=16).digest()
        return int.from_bytes(digest[:8]) / _SCALE, int.from_bytes(digest[8:]) / _SCALE
