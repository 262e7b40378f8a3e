"""Values that never change, kept so that they need not be made again: bounded by how large they are together."""

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Keeping(Generic[Value]):
    """Values by name, of at most `most` together as `size` measures them. Safe for many threads."""

    def __init__(self, most: int, size: Callable[[Value], int]) -> None:
        self._most = most
        self._size = size
        self._kept: OrderedDict[str, tuple[Value, int]] = OrderedDict()
        self._together = 0
        self._lock = Lock()

    def get(self, name: str, make: Callable[[], Value]) -> Value:
        """The value of this name, made if it is not there; then those asked for least lately go, to make room.

        One that is larger than `most` is not kept. Raises what `make` raises.
        """
        with self._lock:
            if name in self._kept:
                self._kept.move_to_end(name)
                return self._kept[name][0]
        made = make()
        self._keep(name, made, self._size(made))
        return made

    def _keep(self, name: str, value: Value, size: int) -> None:
        with self._lock:
            _, before = self._kept.pop(name, (None, 0))
            self._kept[name] = value, size
            self._together += size - before
            while self._together > self._most:
                _, (_, gone) = self._kept.popitem(last=False)
                self._together -= gone
