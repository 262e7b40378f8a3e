from ipaddress import ip_network

import pytest
from flask import Flask

from notify_server.api import remote

PROXIES = (ip_network("10.0.0.0/8"), ip_network("2001:db8::/32"))


def heard(peer: str | None, *forwarded: str, proxies: tuple[object, ...] = PROXIES) -> str:
    app = Flask(__name__)
    app.config.update(remote.trusted(proxies))  # type: ignore[arg-type]
    headers = [("X-Forwarded-For", one) for one in forwarded]
    with app.test_request_context(headers=headers, environ_base={"REMOTE_ADDR": peer} if peer else {}):
        return remote.address()


def test_without_a_trusted_proxy_the_header_says_nothing() -> None:
    assert heard("192.0.2.1", "198.51.100.7") == "192.0.2.1"
    assert heard("10.0.0.1", "198.51.100.7", proxies=()) == "10.0.0.1"


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        (("198.51.100.7",), "198.51.100.7"),
        (("203.0.113.9, 198.51.100.7",), "198.51.100.7"),  # what is before the first stranger may be invented
        (("203.0.113.9, 198.51.100.7, 10.0.0.2",), "198.51.100.7"),
        (("203.0.113.9", "198.51.100.7, 2001:db8::5"), "198.51.100.7"),  # a header given twice is one list
        (("10.0.0.3",), "10.0.0.3"),
        (("nonsense",), "10.0.0.1"),
        (("198.51.100.7, nonsense",), "10.0.0.1"),
        (("",), "10.0.0.1"),
        ((), "10.0.0.1"),
    ],
)
def test_of_what_trusted_proxies_say_the_nearest_stranger_counts(forwarded: tuple[str, ...], address: str) -> None:
    assert heard("10.0.0.1", *forwarded) == address


def test_an_ipv4_address_that_is_written_as_ipv6_is_one_of_ipv4() -> None:
    assert heard("::ffff:10.0.0.1", "::ffff:198.51.100.7") == "198.51.100.7"


def test_behind_a_unix_socket_it_is_unknown() -> None:
    assert heard(None) == "unknown"
