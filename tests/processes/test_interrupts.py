import signal

import pytest

from notify_server.processes.interrupts import Interrupts, Stopped


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_first_signal_stops_and_the_second_kills(number):
    killed: list[bool] = []
    interrupts = Interrupts(kill=lambda: killed.append(True))
    with interrupts.handled():
        with pytest.raises(Stopped):
            signal.raise_signal(number)
        assert not interrupts.killed
        assert killed == []
        signal.raise_signal(number)
    assert interrupts.killed
    assert killed == [True]


def test_while_everything_stops_anyway_the_first_signal_changes_nothing():
    killed: list[bool] = []
    interrupts = Interrupts(kill=lambda: killed.append(True))
    with interrupts.handled():
        interrupts.stopping()
        signal.raise_signal(signal.SIGTERM)
        assert killed == []
        signal.raise_signal(signal.SIGTERM)
    assert killed == [True]


def test_the_handlers_of_before_come_back():
    before = signal.getsignal(signal.SIGTERM)
    with Interrupts(kill=lambda: None).handled():
        assert signal.getsignal(signal.SIGTERM) != before
    assert signal.getsignal(signal.SIGTERM) == before
