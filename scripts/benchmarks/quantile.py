"""Quantiles of what was measured."""

from collections.abc import Sequence
from math import ceil


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest of `values` that at least `share` of them (0 to 1) do not exceed: the nearest rank."""
    return sorted(values)[max(0, ceil(share * len(values)) - 1)]
