"""Which variables stand in HTML where escaping does not make them harmless: outside of texts and quoted values."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from jinja2 import nodes

from notify_server.domain.markup import ADDRESSES, Place, Where
from notify_server.domain.template import Variable, VariableType

_MAX_PLACES = 16  # where one may be after the branches of conditions
_PIECE = 256  # characters, up to the end of the tag in which they end
_ROUNDS = 4  # of a loop, after which it has to be where it has been before
_READABLE = frozenset(("title", "textarea"))  # raw texts in which escaping works
_LISTS = frozenset(("archive", "imagesrcset", "ping", "srcset"))  # attributes with several addresses
_NEVER = frozenset(("by", "from", "http-equiv", "srcdoc", "to", "values"))  # with HTML, or what becomes another's value
_NUMBERS = frozenset((VariableType.INTEGER, VariableType.NUMBER))
_HOST = "https://host"  # what a variable of type url begins with; more of its host might follow
_ADDRESS = "An address begins with https:// and a whole host, or with a variable of type url that is there."

Places = frozenset[Place]
Faults = list[tuple[int, str]]


def misplaced(tree: nodes.Template, variables: Mapping[str, Variable]) -> Faults:
    """What a template for HTML shows where it must not, each with its line."""
    walk = _Walk(variables)
    walk.through(tree.body, frozenset((Place(),)), frozenset())
    return list(dict.fromkeys(walk.faults))


class _Walk:
    """Goes through a template by all of its branches at once; `given`: optional variables that are there for sure."""

    def __init__(self, variables: Mapping[str, Variable]) -> None:
        self._variables = variables
        self.faults: Faults = []

    def through(self, body: Sequence[nodes.Node], places: Places, given: frozenset[str]) -> Places:
        """Where one may be after `body` that was at `places` before."""
        for node in body:
            if isinstance(node, nodes.Output):
                places = self.through(node.nodes, places, given)
            elif isinstance(node, nodes.TemplateData):
                places = _along(places, node.data)
            elif isinstance(node, nodes.If):
                places = self._branches(node, places, given)
            elif isinstance(node, nodes.For):
                places = self._loop(node, places, given)
            else:
                places = frozenset(after for place in places for after in self._shown(node, place, given))
            if len(places) > _MAX_PLACES:
                self.faults.append((node.lineno, "Has too many conditions within one tag."))
                return frozenset((Place(),))
        return places

    def _branches(self, node: nodes.If, places: Places, given: frozenset[str]) -> Places:
        found = self.through(node.body, places, given | _given(node.test))
        for each in node.elif_:
            found |= self.through(each.body, places, given | _given(each.test))
        return found | self.through(node.else_, places, given)

    def _loop(self, node: nodes.For, places: Places, given: frozenset[str]) -> Places:
        empty = self.through(node.else_, places, given)
        for _ in range(_ROUNDS):
            found = places | self.through(node.body, places, given)
            if found == places:
                return found | empty
            places = found
        self.faults.append((node.lineno, "A loop ends within the tag or address that it has begun."))
        return places

    def _shown(self, node: nodes.Node, place: Place, given: frozenset[str]) -> Places:
        """Where one is after a variable; at least there."""
        variable = self._variables.get(node.name) if isinstance(node, nodes.Name) else None
        kind = None if variable is None else variable.type
        if fault := _fault(place, kind):
            self.faults.append((node.lineno, fault))
        if place.where is not Where.QUOTED or place.attribute not in ADDRESSES or place.leads:
            return frozenset((place,))
        led = replace(place, said=_HOST)
        is_there = variable is None or variable.required or getattr(node, "name", "") in given
        return frozenset((led,)) if is_there else frozenset((place, led))


def _along(places: Places, text: str) -> Places:
    """Where one is after `text`: piece by piece for as long as there are several places, which soon become one."""
    at = 0
    while len(places) > 1 and at < len(text):
        end = text.find(">", at + _PIECE) + 1 or len(text)
        places = frozenset(place.after(text[at:end]) for place in places)
        at = end
    return frozenset(place.after(text[at:]) for place in places)


def _fault(place: Place, kind: VariableType | None) -> str | None:
    """What is wrong with a variable of this kind at this place; None as kind: of anything else."""
    if place.where is Where.TEXT or (place.where is Where.RAW and place.tag in _READABLE and not place.said):
        return None
    if place.where is Where.RAW and place.tag in _READABLE:
        return f"Nothing is shown within what may be the end of <{place.tag}>."
    if place.where is Where.RAW:
        return f"Nothing is shown within <{place.tag}>."
    if place.where in {Where.COMMENT, Where.DECLARATION}:
        return "Nothing is shown within a comment or declaration."
    if place.where is not Where.QUOTED:
        return "Within a tag, variables stand in values alone, and those in quotes."
    return _unfit(place, kind)


def _unfit(place: Place, kind: VariableType | None) -> str | None:
    name = place.attribute
    if name.startswith("on") or name in _NEVER or (place.tag, name) == ("meta", "content"):
        return f"Nothing is shown in the attribute {name[:20]!r}."
    if name == "style" and kind not in _NUMBERS:
        return "In the attribute 'style' only numbers are shown."
    if name in _LISTS and kind is not VariableType.URL:
        return f"In the attribute {name!r} only variables of type url are shown."
    if name not in ADDRESSES or place.leads:
        return None
    return None if kind is VariableType.URL and not place.said.strip() else _ADDRESS


def _given(test: nodes.Node) -> frozenset[str]:
    """The variables that are there where a condition holds."""
    if isinstance(test, nodes.Name):
        return frozenset((test.name,))
    if isinstance(test, nodes.And):
        return _given(test.left) | _given(test.right)
    if isinstance(test, nodes.Not) and isinstance(test.node, nodes.Test) and test.node.name == "none":
        return _given(test.node.node)
    return frozenset()
