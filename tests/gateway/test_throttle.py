from notify_server.domain.rate import Rate
from notify_server.gateway.throttle import Throttle, Verdict


def test_a_burst_is_taken_then_the_rate() -> None:
    now = [100.0]
    throttle = Throttle(Rate(10, 5), lambda: now[0])
    assert [throttle.take() for _ in range(6)] == [Verdict.TAKE] * 5 + [Verdict.REFUSE]
    now[0] += 0.1
    assert [throttle.take() for _ in range(2)] == [Verdict.TAKE, Verdict.REFUSE]


def test_far_beyond_it_is_the_end() -> None:
    throttle = Throttle(Rate(10, 5), lambda: 100.0)
    assert [throttle.take() for _ in range(26)] == [Verdict.TAKE] * 5 + [Verdict.REFUSE] * 20 + [Verdict.END]


def test_who_goes_on_a_little_too_fast_is_never_sent_away() -> None:
    now = [100.0]
    throttle = Throttle(Rate(10, 5), lambda: now[0])
    verdicts = []
    for _ in range(3000):
        now[0] += 1 / 20
        verdicts.append(throttle.take())
    assert Verdict.END not in verdicts
    assert 1495 <= verdicts.count(Verdict.TAKE) <= 1510
