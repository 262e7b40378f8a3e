from datetime import timedelta
from random import Random

from notify_server.domain.funnel import MOST_POINTS, curve, funnel
from notify_server.domain.tally import step


def test_a_funnel_counts_who_got_as_far_or_further() -> None:
    tally = {"pending": 3, "pending:unconfirmed": 2, "sent": 5, "received": 7, "read": 11, "failed": 13}
    assert funnel(tally) == {"recipients": 39, "sent": 25, "received": 18, "read": 11}
    assert funnel({}) == {"recipients": 0, "sent": 0, "received": 0, "read": 0}


def test_a_curve_counts_up_and_ends_with_everything_however_many_points_it_has() -> None:
    rng = Random(2)  # noqa: S311 - not a secret
    times = [rng.lognormvariate(3, 3) for _ in range(5000)]
    tally: dict[str, int] = {}
    for number, time in enumerate(times):
        for name in ("received", "read")[: 1 + number % 2]:
            key = f"{name}@{step(timedelta(seconds=time))}"
            tally[key] = tally.get(key, 0) + 1
    points = curve(tally)
    assert MOST_POINTS // 2 < len(points) <= MOST_POINTS
    for point in points:
        assert point["received"] == sum(time < point["seconds"] for time in times)
        assert point["read"] == sum(time < point["seconds"] for time in times[1::2])
    assert points[-1]["received"] == 5000
    assert curve({"sent": 3}) == []
