import pytest

from notify_server.config import Config
from notify_server.domain.rate import Rate
from notify_server.services.rate_limits import RateLimit, build_limits, network
from tests.builders import at_once


class Watch:
    """A clock that is wound by hand, in seconds."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def watch() -> Watch:
    return Watch()


def test_each_caller_has_a_bucket_of_its_own(watch: Watch) -> None:
    limit = RateLimit("user", Rate(1.0, 2), watch)
    assert [limit.take("a").allowed for _ in range(3)] == [True, True, False]
    assert limit.take("b").allowed
    watch.now += 1.0
    assert [limit.take("a").allowed for _ in range(2)] == [True, False]


def test_a_verdict_says_how_the_caller_stands_in_structured_fields(watch: Watch) -> None:
    limit = RateLimit("user", Rate(0.5, 2), watch)
    verdicts = [limit.take("a") for _ in range(3)]
    assert {verdict.policy for verdict in verdicts} == {'"user";q=2;w=4'}
    assert [verdict.limit for verdict in verdicts] == ['"user";r=1;t=2', '"user";r=0;t=4', '"user";r=0;t=4']
    assert (verdicts[2].allowed, verdicts[2].retry_after) == (False, 2)


def test_of_too_many_callers_the_one_that_called_longest_ago_begins_anew(watch: Watch) -> None:
    limit = RateLimit("user", Rate(1.0, 1), watch, kept=2)
    for caller in ("a", "b", "a", "c"):  # a and c are kept
        limit.take(caller)
    assert not limit.take("a").allowed
    assert limit.take("b").allowed
    assert len(limit._full_at) == 2


def test_threads_together_get_no_more_than_one_alone(watch: Watch) -> None:
    limit = RateLimit("user", Rate(1.0, 100), watch)
    found = at_once(*[lambda: sum(limit.take("a").allowed for _ in range(50))] * 8)
    assert sum(found) == 100


def test_each_process_holds_its_part(watch: Watch) -> None:
    limits = build_limits(Config(web_processes=2), watch)
    assert limits.server is not None
    assert limits.user is not None
    assert limits.address is not None
    policies = [limit.take("x").policy for limit in (limits.server, limits.user, limits.address)]
    assert policies == ['"server";q=2500;w=1', '"user";q=30;w=3', '"address";q=10;w=60']


def test_a_rate_of_nothing_turns_a_limit_off() -> None:
    limits = build_limits(Config(rate_server=0, rate_user=0, rate_refused=0))
    assert (limits.server, limits.user, limits.address) == (None, None, None)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%eth0", "fe80::2%eth0", True),
        ("", "", True),
        ("unix:", "unix:", True),
    ],
)
def test_an_address_stands_for_itself_or_its_network(one: str, other: str, same: bool) -> None:
    assert (network(one) == network(other)) is same
