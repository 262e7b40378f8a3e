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


def secure(peer: str, scheme: str = "http", **headers: str) -> bool:
    app = Flask(__name__)
    app.config.update(remote.trusted(PROXIES))
    said = {name.replace("_", "-"): value for name, value in headers.items()}
    base = {"REMOTE_ADDR": peer, "wsgi.url_scheme": scheme}
    with app.test_request_context(headers=said, environ_overrides=base):
        return remote.is_secure()


def test_a_request_is_secure_by_its_own_scheme_or_by_the_word_of_a_trusted_proxy() -> None:
    assert secure("192.0.2.1", "https")
    assert secure("10.0.0.1", X_Forwarded_Proto="https")
    assert not secure("192.0.2.1", X_Forwarded_Proto="https")
    assert not secure("10.0.0.1", X_Forwarded_Proto="http")
    assert not secure("10.0.0.1")


@pytest.mark.parametrize(
    ("peer", "forwarded", "local"),
    [
        ("127.0.0.1", (), True),
        ("::1", (), True),
        ("192.0.2.1", (), False),
        ("10.0.0.1", ("198.51.100.7",), False),
        ("10.0.0.1", ("127.0.0.1",), True),
        (None, (), False),
    ],
)
def test_a_request_is_local_where_it_came_from_this_machine(
    peer: str | None, forwarded: tuple[str, ...], local: bool
) -> None:
    app = Flask(__name__)
    app.config.update(remote.trusted(PROXIES))
    headers = [("X-Forwarded-For", one) for one in forwarded]
    with app.test_request_context(headers=headers, environ_base={"REMOTE_ADDR": peer} if peer else {}):
        assert remote.is_local() is local
