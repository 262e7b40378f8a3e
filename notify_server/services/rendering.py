"""Rendering a version of a template: once for each of its locales, whoever reads it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from jinja2 import Template as Compiled
from jinja2 import TemplateError, UndefinedError

from notify_server.domain import text, user_fields
from notify_server.domain.notification import Message
from notify_server.domain.template import Template
from notify_server.domain.texts import Mail, Text, Texts
from notify_server.domain.user_fields import UserField
from notify_server.errors import InvalidInput
from notify_server.services import links
from notify_server.services.formats import LOCALE, Unfit
from notify_server.services.parsing import USER, Parsed

MAX_RENDERED = {"title": 1024, "body": 4096, "subject": 255, "html": 131_072, "text": 65_536}  # characters
MAX_SHARED = 2048  # characters of `link`, `image` and each value of `data`
MAX_MAILS = 2_000_000  # characters of all mails of a notification
_ONE_LINE = frozenset({"title", "subject"})
_SCHEMES = {"link": frozenset[str](), "image": frozenset({"https"})}  # of addresses; none: those of NOTIFY_LINK_SCHEMES
_USER = {field.value: user_fields.mark(field) for field in UserField}
_BROKEN = (TemplateError, TypeError, ValueError, LookupError, ArithmeticError, RecursionError, MemoryError)


@dataclass(frozen=True, slots=True)
class Rendered:
    """What a notification says: its message in the default locale, and its texts and mails in each."""

    message: Message
    texts: Texts
    mails: Mapping[str, Mail]


class _TooLong(ValueError):
    """What is shown has more characters than it may have."""


def render(
    template: Template, parsed: Parsed, values: Mapping[str, Any], *, mails: bool, only: str | None = None
) -> Rendered:
    """Render with `values` for every declared variable; the mails only where they are asked for.

    With `only`, a locale of the template, nothing but what is said in that one, which is the message's, too; what is
    the same for all locales is as ever that of the default one. Raises InvalidInput with the path of each part of the
    template that cannot be shown with them, or of which nothing is.
    """
    faults: dict[str, list[str]] = {}
    texts, written = dict[str, Text](), dict[str, Mail]()
    default = only or template.content.default_locale
    locales = parsed.locales if only is None else {only: parsed.locales[only]}
    for locale, parts in locales.items():
        wanted = {part: parts[part] for part in parts if mails or part in {"title", "body"}}
        shown = {part: _part(locale, part, compiled, values, faults) for part, compiled in wanted.items()}
        texts[locale] = Text(shown.get("title") or None, shown.get("body") or None)
        if texts[locale] == Text() and not faults:
            faults[f"locales.{locale}"] = ["Shows neither a title nor a body with these variables."]
        if "text" in shown:
            written[locale] = _mail(shown)
            faults = _blank(locale, shown) | faults
    tag = template.content.default_locale
    shared = {path: _shared(path, compiled, tag, values, faults) for path, compiled in parsed.shared.items()}
    if sum(len(mail.text) + len(mail.html or "") for mail in written.values()) > MAX_MAILS:
        faults["locales"] = [f"All mails together have more than {MAX_MAILS} characters with these variables."]
    if faults:
        raise InvalidInput(faults)
    return Rendered(_message(texts[default], shared), _texts(template, default, texts, written), written)


def _blank(locale: str, shown: Mapping[str, str]) -> dict[str, list[str]]:
    """The parts of a mail of which nothing is seen; without a subject of its own, it has the title."""
    subject = "subject" if "subject" in shown else "title"
    return {
        f"locales.{locale}.{part}": ["Shows nothing with these variables."]
        for part in (subject, "text", "html")
        if shown.get(part) == ""
    }


def _mail(shown: Mapping[str, str]) -> Mail:
    return Mail(shown.get("subject", shown.get("title", "")), shown["text"], shown.get("html"))


def _message(said: Text, shared: Mapping[str, str]) -> Message:
    data = {path.removeprefix("data."): value for path, value in shared.items() if path.startswith("data.")}
    title, body = user_fields.legible(said.title), user_fields.legible(said.body)
    return Message(title, body, shared.get("image") or None, shared.get("link") or None, data)


def _texts(template: Template, default: str, texts: Mapping[str, Text], mails: Mapping[str, Mail]) -> Texts:
    said = [part for each in texts.values() for part in (each.title, each.body)]
    said += [part for each in mails.values() for part in (each.subject, each.text, each.html)]
    fields = frozenset(field for part in said for field in user_fields.used(part))
    return Texts(template.name, template.version, default, texts, fields)


def _part(locale: str, part: str, compiled: Compiled, values: Mapping[str, Any], faults: dict[str, list[str]]) -> str:
    path = f"locales.{locale}.{part}"
    try:
        written = _written(compiled, {**values, USER: _USER, LOCALE: locale}, MAX_RENDERED[part])
    except _BROKEN as error:
        faults[path] = [_told(error)]
        return ""
    written = " ".join(written.split()) if part in _ONE_LINE else written.strip()
    if part in {"title", "body", "subject"} and (fault := _fault(written, part)):
        faults[path] = [fault]
    return written


def _fault(written: str, part: str) -> str | None:
    """What is refused of a whole that no part of it showed: marks that pile up, joiners that join nothing."""
    return text.fault(user_fields.legible(written) or "", lines=part not in _ONE_LINE)


def _shared(path: str, compiled: Compiled, locale: str, values: Mapping[str, Any], faults: dict[str, list[str]]) -> str:
    try:
        written = _written(compiled, {**values, LOCALE: locale}, MAX_SHARED).strip()
    except _BROKEN as error:
        faults[path] = [_told(error)]
        return ""
    try:
        return links.normalised(written, _SCHEMES[path]) if written and path in _SCHEMES else written
    except ValueError as error:
        faults[path] = [f"With these variables: {error}"]
        return ""


def _written(compiled: Compiled, context: Mapping[str, Any], most: int) -> str:
    """The text, given up as soon as it is longer than `most`."""
    pieces, length = list[str](), 0
    for piece in compiled.generate(context):
        pieces.append(piece)
        length += len(piece)
        if length > most:
            raise _TooLong(f"Has more than {most} characters with these variables.")
    return "".join(pieces)


def _told(error: Exception) -> str:
    """What went wrong, without what the variables say."""
    if isinstance(error, _TooLong):
        return str(error)
    if isinstance(error, Unfit | UndefinedError):  # the latter name what the template names
        return f"Cannot be shown with these variables: {error}"
    return f"Cannot be shown with these variables ({type(error).__name__})."


def widest(message: Message, said: Text) -> Message:
    """A message in one locale as it is for the user whose fields are the longest."""
    return replace(message, title=_widest(said.title), body=_widest(said.body))


def _widest(part: str | None) -> str | None:
    return None if part is None else user_fields.widest(part)
