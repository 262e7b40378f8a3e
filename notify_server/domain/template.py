"""A template: what a kind of notification says, in each locale, with variables. A version of it never changes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from typing import Any


class VariableType(StrEnum):
    """What a variable holds."""

    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATETIME = "datetime"  # RFC 3339 with an offset
    URL = "url"  # such as a notification's link may be
    LIST = "list"  # of texts and numbers, or of objects that hold such


@dataclass(frozen=True, slots=True)
class Variable:
    """What a notification has to give for a name. One that is not `required` and left out shows as nothing."""

    type: VariableType
    required: bool = True
    example: Any = None


@dataclass(frozen=True, slots=True)
class Source:
    """The sources in one locale: `title` and `body` for push and inbox, the others for mail."""

    title: str | None = None
    body: str | None = None
    subject: str | None = None
    html: str | None = None
    text: str | None = None

    def parts(self) -> Iterator[tuple[str, str]]:
        """The names and sources of those that are there."""
        for part in fields(self):
            source = getattr(self, part.name)
            if source is not None:
                yield part.name, source


@dataclass(frozen=True, slots=True)
class Content:
    """What somebody writes of a template; `link`, `image` and the values of `data` are the same in every locale.

    `default_locale` is for readers of whom no locale is known, or none that is there.
    """

    default_locale: str
    locales: Mapping[str, Source]
    variables: Mapping[str, Variable] = field(default_factory=dict)
    category: str | None = None
    link: str | None = None
    image: str | None = None
    data: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Template:
    """One version. `pack` is the one that it was installed from; None: somebody wrote it."""

    name: str
    version: int
    content: Content
    created_at: datetime
    pack: str | None = None


@dataclass(frozen=True, slots=True)
class Summary:
    """The same without its sources."""

    name: str
    version: int
    category: str | None
    default_locale: str
    locales: tuple[str, ...]
    created_at: datetime
    pack: str | None
