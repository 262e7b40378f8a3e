"""A process of the service on a machine whose clock is wrong: `python wrong_clock.py SECONDS COMMAND`.

The clock is off by SECONDS from the first SIGUSR1 on, or, where SECONDS begins with "=", from the start. Whoever asks
this machine for the time, our code or a library's, gets the wrong one; time since boot goes on as it does anywhere.
"""

import datetime
import signal
import sys
import time

_now, _time, _time_ns = datetime.datetime.now, time.time, time.time_ns
_off = 0.0


class _Kind(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, cls.__mro__[1])  # a real datetime is one


class _Datetime(datetime.datetime, metaclass=_Kind):
    @classmethod
    def now(cls, tz=None):
        return _now(tz) + datetime.timedelta(seconds=_off)

    @classmethod
    def utcnow(cls):
        return cls.now(datetime.UTC).replace(tzinfo=None)


def _jump(*_: object) -> None:
    global _off  # noqa: PLW0603
    _off = float(sys.argv[1].lstrip("="))


def main() -> None:
    if sys.argv[1].startswith("="):
        _jump()
    signal.signal(signal.SIGUSR1, _jump)
    datetime.datetime = _Datetime
    time.time = lambda: _time() + _off
    time.time_ns = lambda: _time_ns() + int(_off * 1e9)
    from notify_server import cli  # noqa: PLC0415 - after the clock is wrong

    cli.main(sys.argv[2:])


if __name__ == "__main__":
    main()
