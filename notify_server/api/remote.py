"""Where a request came from."""

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address

from flask import current_app, request

from notify_server.config import Network

_KEY = "notify_server.trusted_proxies"
_REMEMBERED = 4096  # addresses: the same few call again and again


def trusted(networks: Sequence[Network]) -> dict[str, Sequence[Network]]:
    """The setting of an application that believes what the proxies of these networks say."""
    return {_KEY: networks}


def address() -> str:
    """The address that the request came from, as far as what told us is trusted (RFC 7239, section 7.4).

    `unknown` where nothing says so, as behind a Unix socket. A proxy appends whom it heard. So the header is read from
    its end, as long as who speaks is a trusted proxy; what is before that may be invented.
    """
    peer = _parse(request.remote_addr or "")
    if peer is None:
        return "unknown"
    return str(_forwarded(peer) if _is_trusted(peer) else peer)


def is_local() -> bool:
    """Whether the request came from this machine."""
    found = _parse(address())
    return found is not None and found.is_loopback


def is_secure() -> bool:
    """Whether the caller speaks HTTPS, to us or to a trusted proxy that says so."""
    peer = _parse(request.remote_addr or "")
    proxied = peer is not None and _is_trusted(peer) and request.headers.get("X-Forwarded-Proto") == "https"
    return request.is_secure or proxied


def _forwarded(peer: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """For whom the trusted proxy `peer` spoke."""
    said = ",".join(request.headers.getlist("X-Forwarded-For")).split(",")
    while said and _is_trusted(peer) and (before := _parse(said.pop().strip())) is not None:
        peer = before
    return peer


def _is_trusted(peer: IPv4Address | IPv6Address) -> bool:
    return any(peer in network for network in current_app.config[_KEY])


@lru_cache(_REMEMBERED)
def _parse(written: str) -> IPv4Address | IPv6Address | None:
    """An address; one of IPv4 that is written as IPv6 is one of IPv4."""
    try:
        found = ip_address(written)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found
