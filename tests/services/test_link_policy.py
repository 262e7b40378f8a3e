import pytest

from notify_server.domain.notification import Message
from notify_server.errors import InvalidInput
from notify_server.services.link_policy import LinkPolicy

HTTPS = LinkPolicy(("https",), ())
OURS = LinkPolicy(("https", "myapp"), ("example.org", "*.shop.example", "booking"))


@pytest.mark.parametrize(
    ("policy", "link"),
    [
        *((HTTPS, link) for link in (None, "https://example.org", "HTTPS://EXAMPLE.ORG:8443/a?b#c", "https://[::1]/")),
        *((OURS, f"https://{host}/") for host in ("example.org", "EXAMPLE.org.", "a.shop.example", "a.b.shop.example")),
        (OURS, "myapp://booking/1"),
    ],
)
def test_a_link_that_may_be_carried_passes(policy, link):
    policy.check(Message(title="t", link=link))


@pytest.mark.parametrize(
    ("policy", "link"),
    [
        *((HTTPS, f"{scheme}://example.org") for scheme in ("http", "javascript", "data", "file", "myapp", "intent")),
        *((OURS, f"https://{host}/") for host in ("evil.example", "example.org.evil.example", "shop.example")),
        *((OURS, f"https://{host}/") for host in ("evilshop.example", "xample.org", "[::1]")),
        (OURS, "https://evil.example/example.org"),
        (OURS, "https://evil.example?example.org"),
        (OURS, "myapp://elsewhere/1"),
    ],
)
def test_any_other_is_refused_by_the_name_of_its_field(policy, link):
    with pytest.raises(InvalidInput) as caught:
        policy.check(Message(title="t", link=link))
    assert caught.value.errors.keys() == {"message.link"}
