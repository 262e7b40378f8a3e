"""Packs: ready templates and actions that come with the server, and their installation.

A pack is a folder: `pack.toml` with its title, greetings and footers, `layout.html`, and a file for each action. Such a
file says whether that is `mandatory`, and once what a mail holds, in paragraphs (`lines`), labelled values (`rows`), a
`quote`, a `button` and more paragraphs (`after`); its HTML and its plain text are both made of that.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from notify_server.domain.action import NOTIFYING, Action
from notify_server.domain.notification import Channel
from notify_server.domain.template import Content, Source, Variable, VariableType
from notify_server.errors import NotFound

_ROOT = files("notify_server") / "packs"
_ABOUT = "pack.toml"
_GREETED = "recipient_name"  # a variable of every template, for greetings
_NUMBERS = frozenset((VariableType.INTEGER, VariableType.NUMBER))
_NEVER = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class Piece:
    """A template of a pack, and the action of the same name that uses it."""

    name: str
    content: Content
    action: Action


@dataclass(frozen=True, slots=True)
class Pack:
    """A named collection of them."""

    name: str
    title: str
    pieces: tuple[Piece, ...]


def names() -> list[str]:
    """The packs that there are."""
    return sorted(folder.name for folder in _ROOT.iterdir() if (folder / _ABOUT).is_file())


def load(name: str) -> Pack:
    """One pack. Raises NotFound."""
    if name not in names():
        raise NotFound(f"There is no pack {name!r}; there are: {', '.join(names())}.")
    folder = _ROOT / name
    about = _read(folder / _ABOUT)
    layout = (folder / "layout.html").read_text("utf-8")
    found = sorted(file.name for file in folder.iterdir() if file.name.endswith(".toml") and file.name != _ABOUT)
    pieces = (_piece(name, file.removesuffix(".toml"), _read(folder / file), about, layout) for file in found)
    return Pack(name, about["title"], tuple(pieces))


def _read(file: Traversable) -> dict[str, Any]:
    return tomllib.loads(file.read_text("utf-8"))


def _piece(pack: str, name: str, written: Mapping[str, Any], about: Mapping[str, Any], layout: str) -> Piece:
    channels = tuple(Channel(channel) for channel in written["channels"])
    url = written["url"]
    variables = dict(_variables(written["variables"]))
    locales = {
        locale: _source(_Mail(written[locale], about[locale], locale, url, variables), layout)
        for locale in about
        if isinstance(about[locale], dict)
    }
    content = Content(
        default_locale=about["default_locale"],
        locales=locales,
        variables=variables,
        category=written["category"],
        link=f"{{{{ {url} }}}}" if NOTIFYING.intersection(channels) else None,
    )
    return Piece(
        name, content, Action(name, name, channels, _NEVER, mandatory=written.get("mandatory", False), pack=pack)
    )


def _variables(written: Mapping[str, Any]) -> Iterator[tuple[str, Variable]]:
    for name, each in written.items():
        yield name, Variable(VariableType(each.get("type", "string")), each.get("required", True), each["example"])
    yield _GREETED, Variable(VariableType.STRING, required=False, example="Ada")


@dataclass(frozen=True, slots=True)
class _Mail:
    """What a mail holds in one locale."""

    written: Mapping[str, Any]
    about: Mapping[str, str]
    locale: str
    url: str
    variables: Mapping[str, Variable]

    def rows(self) -> Iterator[tuple[str, str, str | None]]:
        """Label, value, and the condition under which there is something to show."""
        for label, value, *name in self.written.get("rows", ()):
            yield label, value, self._condition(name[0]) if name else None

    def linked(self, value: str) -> str:
        """A value as HTML: a link where it is an address."""
        name = value.removeprefix("{{ ").removesuffix(" }}")
        is_url = name in self.variables and self.variables[name].type is VariableType.URL
        return f'<a href="{value}">{value}</a>' if is_url else _escaped(value)

    def _condition(self, name: str) -> str:
        """A number may be 0; a text or list without anything in it is left out."""
        return f"{name} is not none" if self.variables[name].type in _NUMBERS else name


def _source(mail: _Mail, layout: str) -> Source:
    written = mail.written
    return Source(
        title=written["title"],
        body=written["body"].strip(),
        subject=written["subject"],
        html=_html(mail, layout),
        text="".join(_text(mail)),
    )


def _html(mail: _Mail, layout: str) -> str:
    """Variables are escaped when they are shown; what the pack itself says is escaped here, outside of its braces."""
    placed = {
        "LANG": mail.locale,
        "SUBJECT": _escaped(mail.written["subject"]),
        "HEADING": _escaped(mail.written["title"]),
        "CONTENT": "\n".join(_paragraphs(mail)),
        "FOOTER": _escaped(mail.about["footer"]),
    }
    for name, value in placed.items():
        layout = layout.replace(name, value)
    return layout


def _paragraphs(mail: _Mail) -> Iterator[str]:
    written = mail.written
    for line in (mail.about["greeting"], *written["lines"]):
        yield f"<p>{_escaped(line)}</p>"
    if quote := written.get("quote"):
        yield f'<p class="quote">{{{{ {quote} }}}}</p>'
    for label, value, condition in mail.rows():
        row = f'<p><span class="label">{_escaped(label)}</span>{mail.linked(value)}</p>'
        yield row if condition is None else f"{{% if {condition} %}}\n{row}\n{{% endif %}}"
    yield f'<p><a class="button" href="{{{{ {mail.url} }}}}">{_escaped(written["button"])}</a></p>'
    for line in written.get("after", ()):
        yield f"<p>{_escaped(line)}</p>"


def _text(mail: _Mail) -> Iterator[str]:
    written = mail.written
    for line in (mail.about["greeting"], *written["lines"]):
        yield _block(line)
    if quote := written.get("quote"):
        yield _block(f"{{{{ {quote} }}}}")
    for label, value, condition in mail.rows():
        row = _block(f"{label}: {value}")
        yield row if condition is None else f"{{% if {condition} %}}\n{row}{{% endif %}}\n"
    yield _block(f"{written['button']}:\n{{{{ {mail.url} }}}}")
    for line in written.get("after", ()):
        yield _block(line)
    yield f"-- \n{mail.about['footer']}"


def _block(text: str) -> str:
    """A paragraph and the empty line after it; the line feed right after a tag is the tag's (`trim_blocks`)."""
    return f"{text}\n\n\n" if text.endswith("%}") else f"{text}\n\n"


def _escaped(text: str) -> str:
    return escape(text, quote=False)
