"""Reading a template: whether its sources are well-formed and use what is declared; and making them ready to render."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jinja2 import Template as Compiled
from jinja2 import TemplateError, TemplateSyntaxError, meta, nodes

from notify_server.domain import text
from notify_server.domain.template import Content, VariableType
from notify_server.domain.user_fields import UserField
from notify_server.errors import InvalidInput
from notify_server.services.markup import misplaced
from notify_server.services.sandbox import Sandbox, effort, faults

MAX_SOURCE = {"title": 4096, "body": 8192, "subject": 4096, "html": 131_072, "text": 65_536}  # characters
MAX_SOURCES = 1_000_000  # characters of all locales: reading that takes a second or two
MAX_SHARED = 4096  # characters of `link`, `image` and each value of `data`
MAX_STEPS, MAX_ALL_STEPS = 200_000, 2_000_000  # of rendering one source, and all: about 0.1 s and 1 s
USER = "user"  # the name by which the fields of a user are shown
_LINES = frozenset({"body", "html", "text"})  # parts that have line breaks
_PLAIN, _HTML = Sandbox(html=False), Sandbox(html=True)
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
    if not found and reader.steps > MAX_ALL_STEPS:
        found = {"locales": [_too_much(reader.steps, MAX_ALL_STEPS)]}
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
        self.steps = 0  # of rendering all of them

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
            found = list(faults(tree)) or self._misuses(tree, part) or self._excess(tree)
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
            found += misplaced(tree, self._variables)
        return found

    def _excess(self, tree: nodes.Template) -> list[tuple[int, str]]:
        times = {name for name, each in self._variables.items() if each.type is VariableType.DATETIME}
        steps = effort(tree, times)
        self.steps += steps
        return [(1, _too_much(steps, MAX_STEPS))] if steps > MAX_STEPS else []

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


def _too_much(steps: int, most: int) -> str:
    return f"Takes up to {steps:,} steps to render, of at most {most:,}: within a loop, everything counts 100 times."


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
