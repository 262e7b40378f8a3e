"""Reading a template: whether its sources are well-formed and use what is declared; and making them ready to render."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jinja2 import Template as Compiled
from jinja2 import TemplateError, TemplateSyntaxError, meta, nodes

from notify_server.domain import text
from notify_server.domain.template import Content, VariableType
from notify_server.domain.user_fields import UserField
from notify_server.errors import InvalidInput
from notify_server.services.sandbox import Sandbox, faults

MAX_SOURCE = {"title": 4096, "body": 8192, "subject": 4096, "html": 131_072, "text": 65_536}  # characters
MAX_SOURCES = 1_000_000  # characters of all locales: reading that takes a second or two
MAX_SHARED = 4096  # characters of `link`, `image` and each value of `data`
USER = "user"  # the name by which the fields of a user are shown
_LINES = frozenset({"body", "html", "text"})  # parts that have line breaks
_PLAIN, _HTML = Sandbox(html=False), Sandbox(html=True)
_ADDRESS = re.compile(r"""\b(?:href|src|action|background)\s*=\s*["']?\s*\Z""", re.IGNORECASE)
_BROKEN = (TemplateError, RecursionError, MemoryError, SyntaxError, ValueError, OverflowError)


@dataclass(frozen=True, slots=True)
class Parsed:
    """Compiled sources: of each locale by part, and those that are the same in every locale by their path."""

    locales: Mapping[str, Mapping[str, Compiled]]
    shared: Mapping[str, Compiled]


def parse(content: Content) -> Parsed:
    """Compile every source. Raises InvalidInput with the path of each that is at fault, and the line."""
    if sum(len(source) for each in content.locales.values() for _, source in each.parts()) > MAX_SOURCES:
        raise InvalidInput({"locales": [f"Have more than {MAX_SOURCES} characters together."]})
    reader = _Reader(content)
    locales = {
        locale: {part: reader.read(f"locales.{locale}.{part}", part, source) for part, source in sources.parts()}
        for locale, sources in content.locales.items()
    }
    shared = {path: reader.read(path, "", source) for path, source in _shared(content)}
    found = _missing(content) | reader.faults
    if found:
        raise InvalidInput(found)
    compiled = {name: {part: c for part, c in parts.items() if c} for name, parts in locales.items()}
    return Parsed(compiled, {path: c for path, c in shared.items() if c})


def _shared(content: Content) -> Iterator[tuple[str, str]]:
    for name in ("link", "image"):
        if (source := getattr(content, name)) is not None:
            yield name, source
    for key, source in content.data.items():
        yield f"data.{key}", source


def _missing(content: Content) -> dict[str, list[str]]:
    """Parts that are there in the default locale and not in another, or the other way round; and halves of mails."""
    found: dict[str, list[str]] = {}
    default = content.locales.get(content.default_locale)
    if default is None:
        return {"default_locale": ["Must be one of the locales."]}
    wanted = {part for part, _ in default.parts()}
    if not wanted & {"title", "body"}:
        found[f"locales.{content.default_locale}"] = ["Needs a title or a body."]
    if wanted & {"subject", "html"} and "text" not in wanted:
        found[f"locales.{content.default_locale}.text"] = ["A mail needs it, for readers who see no HTML."]
    if "text" in wanted and not wanted & {"subject", "title"}:
        found[f"locales.{content.default_locale}.subject"] = ["A mail needs it, or a title in its place."]
    for locale, source in content.locales.items():
        parts = {part for part, _ in source.parts()}
        for part in sorted(wanted - parts):
            found[f"locales.{locale}.{part}"] = [f"Is missing; {content.default_locale} has it."]
        for part in sorted(parts - wanted):
            found[f"locales.{locale}.{part}"] = [f"Is there, and {content.default_locale} has none."]
    return found


class _Reader:
    """Reads the sources of one template, and notes what is wrong with each."""

    def __init__(self, content: Content) -> None:
        self._variables = content.variables
        self.faults: dict[str, list[str]] = {}

    def read(self, path: str, part: str, source: str) -> Compiled | None:
        """A source compiled; None where it is at fault."""
        compiled, found = None, _unfit(part, source)
        if not found:
            compiled, found = self._compiled(part, source)
        if found:
            self.faults[path] = list(dict.fromkeys(found))
        return compiled

    def _compiled(self, part: str, source: str) -> tuple[Compiled | None, list[str]]:
        sandbox = _HTML if part == "html" else _PLAIN
        try:
            tree = sandbox.parse(source)
            found = list(faults(tree)) or self._misuses(tree, part)
            if not found:
                return sandbox.from_string(source), []
        except TemplateSyntaxError as error:
            found = [(error.lineno, str(error.message))]
        except _BROKEN as error:
            found = [(1, f"Cannot be compiled: {type(error).__name__}.")]
        return None, [f"Line {line}: {fault}" for line, fault in sorted(found)]

    def _misuses(self, tree: nodes.Template, part: str) -> list[tuple[int, str]]:
        found = [*self._names(tree, users=bool(part)), *_constants(tree, part)]
        if part == "html":
            self._addresses(tree.body, found, opened=False)
        return found

    def _names(self, tree: nodes.Template, *, users: bool) -> Iterator[tuple[int, str]]:
        """What is used and not declared; loops over what is no list; fields of the user where there can be none."""
        shown = set(_shown_fields(tree)) if users else set()
        undeclared = meta.find_undeclared_variables(tree) - self._variables.keys() - {USER}
        for node in tree.find_all(nodes.Name):
            if node.ctx == "store" and (node.name in self._variables or node.name in {USER, "loop"}):
                yield node.lineno, f"A loop needs a name of its own for its items, and not {node.name!r}."
            elif node.name == USER and node not in shown:
                fields = ", ".join(UserField)
                why = f"{{{{ user.FIELD }}}}, of {fields}, perhaps with | urlencode" if users else "not used here"
                yield node.lineno, f"What is the user's own is {'written ' if users else ''}{why}."
            elif node.name in undeclared:
                yield node.lineno, f"Uses {node.name!r}, which `variables` does not declare."
        for loop in tree.find_all(nodes.For):
            variable = self._variables.get(loop.iter.name) if isinstance(loop.iter, nodes.Name) else None
            if variable is not None and variable.type is not VariableType.LIST:
                yield loop.lineno, f"Only a list can be looped over; {variable.type} is none."

    def _addresses(self, body: Sequence[nodes.Node], found: list[tuple[int, str]], *, opened: bool) -> bool:
        """What begins the value of an attribute that holds an address must be one: no other value is checked for it.

        `opened`: such a value begins where `body` does. Returns whether one begins where it ends.
        """
        for node in body:
            if isinstance(node, nodes.If):
                branches = [node.body, *(each.body for each in node.elif_), node.else_]
                ends = [self._addresses(branch, found, opened=opened) for branch in branches]
                opened = any(ends)
            elif isinstance(node, nodes.For):
                opened = self._addresses([*node.body, *node.else_], found, opened=opened) or opened
            elif isinstance(node, nodes.Output):
                opened = self._addresses(node.nodes, found, opened=opened)
            elif isinstance(node, nodes.TemplateData):
                opened = _ADDRESS.search(node.data) is not None
            else:
                if opened and not self._is_url(node):
                    found.append((node.lineno, "An address begins with https:// or with a variable of type url."))
                opened = False
        return opened

    def _is_url(self, node: nodes.Node) -> bool:
        variable = self._variables.get(node.name) if isinstance(node, nodes.Name) else None
        return variable is not None and variable.type is VariableType.URL


def _unfit(part: str, source: str) -> list[str]:
    """What is wrong with a source as a text, whatever it says."""
    most = MAX_SOURCE.get(part, MAX_SHARED)
    if len(source) > most:
        return [f"Is longer than {most} characters."]
    if not source.strip():
        return ["Must not be empty."]
    fault = text.fault(source, lines=part in _LINES)
    return [fault] if fault else []


def _constants(tree: nodes.Template, part: str) -> Iterator[tuple[int, str]]:
    for node in tree.find_all(nodes.Const):
        if isinstance(node.value, str) and (fault := text.fault(node.value, lines=part in _LINES)):
            yield node.lineno, fault


def _shown_fields(tree: nodes.Template) -> Iterator[Any]:
    """The names in {{ user.FIELD }} and {{ user.FIELD | urlencode }}."""
    for output in tree.find_all(nodes.Output):
        for node in output.nodes:
            inner = node.node if isinstance(node, nodes.Filter) and node.name == "urlencode" else node
            if isinstance(inner, nodes.Getattr) and inner.attr in set(UserField) and isinstance(inner.node, nodes.Name):
                yield inner.node
