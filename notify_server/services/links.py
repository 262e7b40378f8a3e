"""Addresses in messages: what a tap opens, and what a device loads. Nothing that could be read in two ways passes."""

import re

import idna

_SHAPE = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,31})://([^/?#]*)([/?#].*)?")  # RFC 3986 appendix B, with a host
_HOST = re.compile(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]|[^\0-,/:-@\[-^`{-\x7f]+)(:[0-9]{1,5})?")
_NEVER = re.compile(r'[\s\\<>"`{}|^]')  # RFC 3986 allows none of these; browsers mend them, each in its own way


MAX_LINK = 2048  # characters


def normalised(value: str, web: frozenset[str]) -> str:
    """`value` with its host in ASCII (IDNA 2008, UTS #46), so that a lookalike of a known name can be told from it.

    Raises ValueError, which says what is wrong, unless it is `scheme://host…` without a user name; with a scheme of
    `web`, if any are named.
    """
    if not value.isprintable() or _NEVER.search(value):
        raise ValueError('Must not contain spaces, backslashes, control characters or any of <>"`{}|^.')
    parts = _SHAPE.fullmatch(value)
    if parts is None or not parts[2]:
        raise ValueError("Must be an absolute URL with a host, such as https://example.org/a.")
    scheme, host, rest = parts[1], parts[2], parts[3] or ""
    if web and scheme.lower() not in web:
        raise ValueError(f"Must begin with {' or '.join(f'{one}://' for one in sorted(web))}.")
    if "@" in host:
        raise ValueError("Must not contain a user name or password.")
    return f"{scheme}://{_ascii(host)}{rest}"


def _ascii(host: str) -> str:
    parts = _HOST.fullmatch(host)
    if parts is None or int((parts[2] or ":0")[1:]) > 65_535:
        raise ValueError("Must name a host that can be one, and a port up to 65535 if any.")
    if host.isascii():
        return host
    try:
        encoded = idna.encode(parts[1], uts46=True, std3_rules=True).decode()
    except idna.IDNAError:
        raise ValueError("Must name a host that can be one (IDNA 2008).") from None
    return encoded + (parts[2] or "")
