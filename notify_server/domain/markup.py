"""Where in HTML one stands after a piece of it: what a variable may say there depends on that.

The states are those of the HTML standard's tokeniser that matter here. What ends a comment or a raw text is found also
where it stands in two pieces; within it, nothing may be shown: what is refused wrongly is seen, what is let in is not.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto

ADDRESSES = frozenset(
    ("action", "background", "cite", "classid", "codebase", "data", "dynsrc", "formaction", "href", "icon", "longdesc")
) | frozenset(("lowsrc", "manifest", "poster", "profile", "src", "usemap", "xlink:href"))
_RAW = frozenset(("script", "style", "title", "textarea", "xmp", "iframe", "noembed", "noframes"))
_LED = "https://led/"  # in the place of the beginning of any address of which it is known where it leads
_LEADS = re.compile(
    r"\s*(?:#|(?:mailto|tel|sms):|(?!javascript:|vbscript:|data:)[a-z][a-z0-9+.-]*://[^\s/?#\\]+[/?#])", re.IGNORECASE
)
_LONGEST = 300  # characters of a name or the beginning of an address
_SPACE = " \t\n\r\f"  # no other is one to HTML
_SPACES, _VALUE = re.compile(f"[{_SPACE}/]*"), re.compile(f"[^{_SPACE}>]*")
_NAME, _KEY = re.compile(f"[^{_SPACE}/>]*"), re.compile(f"[^{_SPACE}/>=]*")
_ENDS = {name: re.compile(f"</{name}(?=[{_SPACE}/>])", re.IGNORECASE) for name in _RAW}
_COMMENT_ENDS, _COMMENT_END_BEGUN = re.compile("--!?>"), re.compile(r"(?:--?|--!)\Z")


class Where(Enum):
    """In what a place is."""

    TEXT = auto()
    RAW = auto()  # the text of an element in which tags are none
    COMMENT = auto()
    DECLARATION = auto()  # also what only looks like one
    BEGUN = auto()  # after a <
    NAME = auto()  # of a tag
    TAG = auto()  # between attributes
    KEY = auto()  # the name of an attribute
    KEYED = auto()  # after such a name
    VALUE = auto()  # after its =
    UNQUOTED = auto()
    QUOTED = auto()


@dataclass(frozen=True, slots=True)
class Place:
    """A place: of which `tag` and `attribute`, in small letters; `said` is what tells how it goes on.

    Within the quotes of an address that is what was said of it up to here, of which only the beginning counts; after <,
    and in a raw text or a comment, what may begin its end, which is read again with what follows.
    """

    where: Where = Where.TEXT
    tag: str = ""
    attribute: str = ""
    quote: str = ""
    said: str = ""

    @property
    def leads(self) -> bool:
        """Whether it is known by now where an address leads: the scheme and all of the host, or within the page."""
        return _LEADS.match(self.said) is not None

    def after(self, text: str) -> "Place":
        """The place where `text` ends that begins at this one."""
        place, at = self, 0
        if text and self.said and self.where in {Where.RAW, Where.COMMENT, Where.BEGUN}:
            place = Place() if self.where is Where.BEGUN else replace(self, said="")
            text = ("<" if self.where is Where.BEGUN else "") + self.said + text
        while at < len(text):
            place, at = _STEPS[place.where](place, text, at)
        return place

    def grown(self, text: str) -> "Place":
        """The same within quotes, after more of the value."""
        if self.attribute not in ADDRESSES:
            return self
        grown = replace(self, said=(self.said + text)[:_LONGEST])
        return replace(grown, said=_LED) if grown.leads else grown


Step = tuple[Place, int]  # where one is, and how far one has read


def _text(place: Place, text: str, at: int) -> Step:
    found = text.find("<", at)
    return (place, len(text)) if found < 0 else (Place(Where.BEGUN), found + 1)


def _begun(place: Place, text: str, at: int) -> Step:
    """After <, and after the /, ! or !- that may follow."""
    said = place.said + text[at]
    if said in {"/", "!", "!-"}:
        return replace(place, said=said), at + 1
    if said == "!--":
        if text.startswith("[if", at + 1):
            return Place(Where.DECLARATION), at + 1  # Outlook reads what follows
        return Place(Where.COMMENT), at - 1
    if said[-1].isascii() and said[-1].isalpha() and said[:-1] in {"", "/"}:
        return Place(Where.NAME, tag=said[:-1]), at
    return Place(Where.TEXT if not place.said and text[at] != "?" else Where.DECLARATION), at


def _declaration(_: Place, text: str, at: int) -> Step:
    found = text.find(">", at)
    return (Place(Where.DECLARATION), len(text)) if found < 0 else (Place(), found + 1)


def _comment(place: Place, text: str, at: int) -> Step:
    found = _COMMENT_ENDS.search(text, at)
    if found is not None:
        return Place(), found.end()
    begun = _COMMENT_END_BEGUN.search(text, at)
    return replace(place, said=begun[0] if begun else ""), len(text)


def _raw(place: Place, text: str, at: int) -> Step:
    found = _ENDS[place.tag].search(text, at)
    if found is not None:
        return Place(Where.NAME, tag=f"/{place.tag}"), found.end()
    begun = text[max(text.rfind("<", at), at) :][:_LONGEST].lower()
    return replace(place, said=begun if f"</{place.tag}".startswith(begun) else ""), len(text)


def _name(place: Place, text: str, at: int) -> Step:
    tag, at = _more(_NAME, place.tag, text, at)
    return (replace(place, tag=tag), at) if at == len(text) else (Place(Where.TAG, tag), at)


def _tag(place: Place, text: str, at: int) -> Step:
    _, at = _more(_SPACES, "", text, at)
    if at == len(text):
        return place, at
    if text[at] == ">":
        return _closed(place), at + 1
    return Place(Where.KEY, place.tag, text[at].lower()), at + 1


def _key(place: Place, text: str, at: int) -> Step:
    key, at = _more(_KEY, place.attribute, text, at)
    named = replace(place, attribute=key)
    return (named, at) if at == len(text) else (replace(named, where=Where.KEYED), at)


def _keyed(place: Place, text: str, at: int) -> Step:
    if text[at] in _SPACE:
        return place, at + 1
    return (replace(place, where=Where.VALUE), at + 1) if text[at] == "=" else (Place(Where.TAG, place.tag), at)


def _value(place: Place, text: str, at: int) -> Step:
    if text[at] in _SPACE:
        return place, at + 1
    if text[at] in "\"'":
        return replace(place, where=Where.QUOTED, quote=text[at]), at + 1
    return replace(place, where=Where.UNQUOTED), at


def _unquoted(place: Place, text: str, at: int) -> Step:
    _, at = _more(_VALUE, "", text, at)
    return (place, at) if at == len(text) else (Place(Where.TAG, place.tag), at)


def _quoted(place: Place, text: str, at: int) -> Step:
    found = text.find(place.quote, at)
    return (place.grown(text[at:]), len(text)) if found < 0 else (Place(Where.TAG, place.tag), found + 1)


def _closed(place: Place) -> Place:
    return Place(Where.RAW, place.tag) if place.tag in _RAW else Place()


def _more(pattern: re.Pattern[str], name: str, text: str, at: int) -> tuple[str, int]:
    """A name with what follows of it, in small letters, and where that ends."""
    found = pattern.match(text, at)
    end = at if found is None else found.end()
    return (name + text[at:end].lower())[:_LONGEST], end


_STEPS: Mapping[Where, Callable[[Place, str, int], Step]] = {
    Where.TEXT: _text,
    Where.RAW: _raw,
    Where.COMMENT: _comment,
    Where.DECLARATION: _declaration,
    Where.BEGUN: _begun,
    Where.NAME: _name,
    Where.TAG: _tag,
    Where.KEY: _key,
    Where.KEYED: _keyed,
    Where.VALUE: _value,
    Where.UNQUOTED: _unquoted,
    Where.QUOTED: _quoted,
}
