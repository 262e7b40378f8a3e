"""A user's own fields in texts that are rendered once for many users.

A text is rendered with a mark in the place of each such field, and the marks are replaced for each user. A mark is a
character of Unicode's private use, which no text that we take in can hold (see `domain/text.py`), so that nothing that
a variable says is ever taken for one.
"""

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from html import escape
from urllib.parse import quote

from notify_server.domain.user import User


class UserField(StrEnum):
    """What of a user a template may show, as `user.id`."""

    ID = "id"
    COMMUNITY = "community"
    EMAIL = "email"
    LOCALE = "locale"
    TIMEZONE = "timezone"


LONGEST = {  # characters
    UserField.ID: 128,
    UserField.COMMUNITY: 128,
    UserField.EMAIL: 254,
    UserField.LOCALE: 35,
    UserField.TIMEZONE: 64,
}
_FIRST, _FIRST_QUOTED = 0xE000, 0xE100
_FIELDS = list(UserField)
_MARKS = {chr(_FIRST + at): (field, False) for at, field in enumerate(_FIELDS)} | {
    chr(_FIRST_QUOTED + at): (field, True) for at, field in enumerate(_FIELDS)
}
_BY_FIELD = {field: mark for mark, field in _MARKS.items()}
_ANY = re.compile(f"[{''.join(_MARKS)}]")
_WIDEST = "\U00010000"  # a character of four bytes in UTF-8, of twelve in a URL


def mark(field: UserField, *, quoted: bool = False) -> str:
    """What stands for a field in a rendered text; `quoted`: as a part of a URL."""
    return _BY_FIELD[field, quoted]


def used(text: str | None) -> frozenset[UserField]:
    """The fields that a rendered text shows."""
    return frozenset(_MARKS[found][0] for found in _ANY.findall(text)) if text else frozenset()


def fill(text: str, user: User) -> str:
    """A rendered text as `user` reads it; what is not known of them is left empty."""
    return _ANY.sub(lambda found: value(found[0], user), text)


def fill_html(text: str, user: User) -> str:
    """The same of HTML."""
    return _ANY.sub(lambda found: escape(value(found[0], user)), text)


def values(user: User, encode: Callable[[str], str]) -> Mapping[str, str]:
    """What each mark stands for, encoded."""
    return {each: encode(value(each, user)) for each in _MARKS}


def value(found: str, user: User) -> str:
    """What a mark stands for."""
    field, quoted = _MARKS[found]
    text = getattr(user, field.value) or ""
    return quote(text, safe="") if quoted else text


def widest(text: str) -> str:
    """A rendered text as it is when every field is as long as it can be: it takes no more bytes for any user."""
    return _ANY.sub(lambda found: _widest(*_MARKS[found[0]]), text)


def legible(text: str | None) -> str | None:
    """A rendered text with names in the place of fields, as the template has them."""
    return None if text is None else _ANY.sub(lambda found: _named(*_MARKS[found[0]]), text)


def _widest(field: UserField, quoted: bool) -> str:
    text = _WIDEST * LONGEST[field]
    return quote(text) if quoted else text


def _named(field: UserField, quoted: bool) -> str:
    return f"{{{{ user.{field}{' | urlencode' if quoted else ''} }}}}"
