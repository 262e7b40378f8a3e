"""The language of templates: of Jinja2, what cannot run long, grow large, or reach anything but the variables.

Nothing is left to a time-out. There are no calls, no arithmetic, no assignment and no nested loops, so that what a
template does can be told from its syntax tree before it is ever run (`effort`); filters are those of `formats` and no
others, and what they take beside a value is a constant or a variable. An attribute is a key of an object that was given
as a variable, and never one of Python's.
"""

from collections.abc import Callable, Container, Iterator, Mapping
from typing import Any

from jinja2 import StrictUndefined, Undefined, nodes
from jinja2.runtime import LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment

from notify_server.services import formats

MAX_DEPTH = 30  # of nodes within nodes
MAX_SEPARATOR = 16  # characters of what joins the items of a list
_ITEMS = 100  # as many as a list has at most
_LOOP = frozenset({"index", "first", "last", "length"})  # what `loop` tells
_NODES: frozenset[type[nodes.Node]] = frozenset(
    (
        *(nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.Getattr, nodes.Filter),
        *(nodes.Test, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.If, nodes.For),
        nodes.CondExpr,
    )
)
_WORDS: Mapping[type[nodes.Node], str] = {
    nodes.Call: "calls",
    nodes.Getitem: "square brackets",
    nodes.Assign: "set",
    nodes.AssignBlock: "set",
    nodes.Macro: "macro",
    nodes.Include: "include",
    nodes.Extends: "extends",
    nodes.Import: "import",
    nodes.FromImport: "import",
    nodes.Block: "block",
    nodes.ScopedEvalContextModifier: "autoescape",
    nodes.Concat: "~",
    nodes.List: "lists",
    nodes.Dict: "dictionaries",
    nodes.Tuple: "tuples",
}


class Sandbox(ImmutableSandboxedEnvironment):
    """Templates that show variables; `html`: escaped for HTML."""

    def __init__(self, *, html: bool) -> None:
        super().__init__(
            autoescape=html,
            undefined=StrictUndefined,
            finalize=formats.shown,
            trim_blocks=True,
            lstrip_blocks=True,
            cache_size=0,
        )
        self.filters = dict(formats.FILTERS)
        self.tests = dict(formats.TESTS)
        self.globals = {}

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Called by a template for `obj.attribute`."""
        if isinstance(obj, Mapping):
            return obj[attribute] if attribute in obj else self.undefined(obj=obj, name=attribute)
        if isinstance(obj, LoopContext) and attribute in _LOOP:
            return super().getattr(obj, attribute)
        return self.undefined(obj=obj, name=attribute)

    def getitem(self, obj: Any, argument: Any) -> Undefined:
        """Called by a template for `obj[argument]`, which is refused where the template is read."""
        return self.undefined(obj=obj, name=str(argument))


def faults(tree: nodes.Template) -> Iterator[tuple[int, str]]:
    """What a template must not hold, each with its line."""
    waiting: list[tuple[nodes.Node, int, int]] = [(tree, 0, 0)]
    while waiting:
        node, depth, loops = waiting.pop()
        if depth > MAX_DEPTH:
            yield node.lineno, f"Is nested more than {MAX_DEPTH} deep."
            return
        if type(node) not in _NODES:
            yield node.lineno, f"Must not use {_WORDS.get(type(node), type(node).__name__.lower())}."
            continue
        fault = _CHECKS.get(type(node), _nothing)(node, loops)
        if fault:
            yield node.lineno, fault
        inner = loops + isinstance(node, nodes.For)
        waiting += [(child, depth + 1, inner) for child in node.iter_child_nodes()]


def effort(tree: nodes.Node, times: Container[str] = ()) -> int:
    """How many steps it takes to render this at most, of about half a microsecond; a loop has as many as a list may.

    `times` are the variables that are shown as `datetime` shows them where no filter is asked to.
    """
    steps, waiting = 0, [(tree, 1, False)]
    while waiting:
        node, often, shows = waiting.pop()
        is_time = shows and isinstance(node, nodes.Name) and node.name in times
        steps += often * (formats.EFFORT["datetime"] if is_time else _weight(node))
        inner = often * _ITEMS if isinstance(node, nodes.For) else often
        shows = shows or isinstance(node, nodes.Output)
        waiting += [(child, inner, shows) for child in node.iter_child_nodes()]
    return steps


def _weight(node: nodes.Node) -> int:
    if isinstance(node, nodes.Filter):
        return formats.EFFORT.get(node.name, 10)
    return 20 if isinstance(node, nodes.Operand) else 1  # of two lists, it compares their items


def _filter(node: Any, _: int) -> str | None:
    if node.name not in formats.FILTERS:
        return f"There is no filter {node.name!r}; there are {', '.join(sorted(formats.FILTERS))}."
    if node.node is None or node.kwargs or node.dyn_args or node.dyn_kwargs:
        return f"Filter {node.name!r} takes nothing by name."
    most = formats.ARGUMENTS.get(node.name, 0)
    if len(node.args) > most:
        return f"Filter {node.name!r} takes at most {most} arguments."
    if not all(_is_plain(each) for each in node.args):
        return f"Filter {node.name!r} takes a constant or a variable."
    if node.name == "join" and not all(_is_separator(each) for each in node.args):
        return f"Filter 'join' takes a text of at most {MAX_SEPARATOR} characters, written there."
    return None


def _is_plain(node: nodes.Expr) -> bool:
    """Whether it is a constant, a variable, or a field of the item of a loop."""
    inner = node.node if isinstance(node, nodes.Getattr) else node
    return isinstance(inner, nodes.Const | nodes.Name)


def _is_separator(node: nodes.Expr) -> bool:
    return isinstance(node, nodes.Const) and isinstance(node.value, str) and len(node.value) <= MAX_SEPARATOR


def _test(node: Any, _: int) -> str | None:
    if node.name not in formats.TESTS:
        return f"There is no test {node.name!r}; there are {', '.join(sorted(formats.TESTS))}."
    return f"Test {node.name!r} takes nothing." if node.args or node.kwargs else None


def _for(node: Any, loops: int) -> str | None:
    if loops:
        return "A loop must not stand within another."
    if node.recursive or not isinstance(node.target, nodes.Name) or not isinstance(node.iter, nodes.Name):
        return "A loop is written {% for item in variable %}."
    return None


def _name(node: Any, _: int) -> str | None:
    is_ours = node.name.startswith("_") or node.name == "self"  # Jinja takes `self` for declared
    return f"Must not use the name {node.name!r}." if is_ours else None


def _attribute(node: Any, _: int) -> str | None:
    if isinstance(node.node, nodes.Name) and node.node.name == "loop" and node.attr not in _LOOP:
        return f"A loop has {', '.join(sorted(_LOOP))}, and no {node.attr!r}."
    return f"Must not use the name {node.attr!r}." if node.attr.startswith("_") else None


def _constant(node: Any, _: int) -> str | None:
    if isinstance(node.value, int | float) and abs(node.value) > formats.LARGEST:
        return f"Must not use numbers beyond {formats.LARGEST}."
    return None


def _nothing(_: Any, __: int) -> None:
    return None


_CHECKS: Mapping[type[nodes.Node], Callable[[Any, int], str | None]] = {
    nodes.Filter: _filter,
    nodes.Test: _test,
    nodes.For: _for,
    nodes.Name: _name,
    nodes.Getattr: _attribute,
    nodes.Const: _constant,
}
