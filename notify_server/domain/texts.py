"""What a notification says in each locale of its template, rendered once, when it was accepted."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from notify_server.domain import user_fields
from notify_server.domain.locales import lookup
from notify_server.domain.user import User
from notify_server.domain.user_fields import UserField


@dataclass(frozen=True, slots=True)
class Text:
    """Title and body, as push and inbox show them, in one locale."""

    title: str | None = None
    body: str | None = None

    def __repr__(self) -> str:
        return "Text(…)"  # what is said is never logged

    def filled(self, user: User) -> "Text":
        """As `user` reads it."""
        return Text(*(part and user_fields.fill(part, user) for part in (self.title, self.body)))


@dataclass(frozen=True, slots=True)
class Mail:
    """What a mail says in one locale. The subject is one line."""

    subject: str
    text: str
    html: str | None = None

    def __repr__(self) -> str:
        return "Mail(…)"

    def filled(self, user: User) -> "Mail":
        """As `user` reads it."""
        html = self.html and user_fields.fill_html(self.html, user)
        return Mail(user_fields.fill(self.subject, user), user_fields.fill(self.text, user), html)


@dataclass(frozen=True, slots=True)
class Texts:
    """The version of a template that a notification was rendered from, and what came of it by locale.

    `fields` are those of a user that the texts show: without any, all users of a locale read the same.
    """

    template: str
    version: int
    default: str
    locales: Mapping[str, Text]
    fields: frozenset[UserField] = field(default_factory=frozenset)

    def choose(self, *wanted: str | None) -> str:
        """The locale for somebody of whom these are known, the first of them that is known."""
        known = next((each for each in wanted if each), None)
        return (known and lookup(known, self.locales)) or self.default

    def of(self, locale: str | None) -> Text:
        """What is said in one of the locales; in the default one, where it is None."""
        return self.locales.get(locale or self.default) or self.locales[self.default]
