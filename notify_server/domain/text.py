"""Text that people read: what of Unicode is refused, because it hides, disguises or defaces what they see.

Sources: UAX #9 (bidirectional marks), UAX #15 (normalisation), UTS #51 (emoji), UTR #36 (security), and the
"Trojan Source" paper (CVE-2021-42574).
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator

MAX_MARKS = 8  # combining marks on one letter: no script's own words need more

_CONTROL = "\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029"  # but for tab, line feed and carriage return
_OVERRIDES = "\u202d\u202e"
_EMBEDDINGS, _ISOLATES = "\u202a\u202b\u202c", "\u2066-\u2069"
_FILLERS = "\u115f\u1160\u3164\uffa0"  # letters by name, and yet nothing is seen of them
_INVISIBLE = f"{_FILLERS}\u180e\u200b\u2060-\u2065\u206a-\u206f\ufeff\ufff9-\ufffb"
_TAGS = "\U000e0000-\U000e007f"
_PRIVATE = "\ue000-\uf8ff\U000f0000-\U0010ffff"  # ends with noncharacters
_BEYOND = "".join(f"{chr(plane << 16 | 0xFFFE)}-{chr(plane << 16 | 0xFFFF)}" for plane in range(1, 15))
_NEVER = f"\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff{_BEYOND}"  # halves of surrogate pairs, noncharacters
_JOINERS = "\u200c\u200d"
_FAR_MARKS = (
    "\U0001d165-\U0001d1ad\U0001e000-\U0001e02a\U000e0100-\U000e01ef"  # those beyond U+FFFF that fit any letter
)
_FLAG = "\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{2,6}\U000e007f"  # UTS #51: of a region


def _marks() -> Iterator[str]:
    """Ranges of combining marks, as a regular expression writes them."""
    start, previous = None, 0
    for code in (code for code in range(0x300, 0x10000) if unicodedata.category(chr(code)) in {"Mn", "Me"}):
        if start is None:
            start = code
        elif code != previous + 1:
            yield _range(start, previous)
            start = code
        previous = code
    if start is not None:
        yield _range(start, previous)


def _range(first: int, last: int) -> str:
    return f"{chr(first)}-{chr(last)}"


_STACKED = re.compile(f"[{''.join(_marks())}{_FAR_MARKS}]{{{MAX_MARKS + 1}}}")
_FILLER = re.compile(f"[{_FILLERS}]")
_REFUSED = re.compile(f"[{_CONTROL}{_OVERRIDES}{_INVISIBLE}{_PRIVATE}{_NEVER}]|\r(?!\n)")
_TAG = re.compile(f"[{_TAGS}]")
_A_FLAG = re.compile(_FLAG)
_LOOSE_JOINER = re.compile(f"(?<![^\\s{_JOINERS}])[{_JOINERS}]|[{_JOINERS}](?![^\\s{_JOINERS}])")
_DIRECTION = re.compile(f"[{_EMBEDDINGS}{_ISOLATES}\n]")
_SUSPECT = re.compile(f"[{_EMBEDDINGS}{_ISOLATES}{_JOINERS}{_TAGS}]")
_LINE = re.compile("[\t\n\r]")
_PLAIN_URL = re.compile(r"https://[a-z0-9]([a-z0-9.-]{0,250}[a-z0-9])?(/[A-Za-z0-9._~/?=&%+-]{0,1000})?")


def nfc(value: str) -> str:
    """`value` in Unicode's Normalisation Form C: the same text is the same characters, however it was typed."""
    return value if value.isascii() else unicodedata.normalize("NFC", value)


def is_plain_url(value: str) -> bool:
    """Whether it is an https URL that everybody reads alike and nobody refuses; other good URLs are not plain."""
    return _PLAIN_URL.fullmatch(value) is not None


def is_stacked(value: str) -> bool:
    """Whether more than MAX_MARKS combining marks stand on one letter ("zalgo")."""
    return not value.isascii() and _STACKED.search(value) is not None


def has_filler(value: str) -> bool:
    """Whether it has a letter of which nothing is seen."""
    return _FILLER.search(value) is not None


def fault(value: str, *, lines: bool) -> str | None:
    """What is wrong with text that a person reads; None when nothing is. With `lines` it may have line breaks, tabs."""
    if not lines and (found := _LINE.search(value)):
        return f"Must be one line, without {_name(found[0])}."
    if not value.replace("\n", " ").isprintable() or (not value.isascii() and has_filler(value)):
        if found := _REFUSED.search(value):
            return f"Must not contain {_name(found[0])}."
        if _SUSPECT.search(value) and (misplaced := _misplaced(value)):
            return misplaced
    return f"Has more than {MAX_MARKS} combining marks on one letter." if is_stacked(value) else None


def _misplaced(value: str) -> str | None:
    """What is right in its place only: joiners within words, tags within flags, directions that end where they must."""
    if found := _LOOSE_JOINER.search(value):
        return f"Contains {_name(found[0])}, which joins nothing there."
    if found := _TAG.search(_A_FLAG.sub("", value)):
        return f"Contains {_name(found[0])} outside of a flag."
    if not _is_balanced(_DIRECTION.findall(value)):
        return "Contains a bidirectional embedding or isolate that does not end in its line, or was not begun."
    return None


def _is_balanced(marks: Iterable[str]) -> bool:
    """UAX #9: PDI ends an isolate, PDF an embedding, and the end of a line must find all ended."""
    open_: list[str] = []
    for mark in marks:
        if mark == "\n":
            if open_:
                return False
        elif mark in "\u202a\u202b":
            open_.append("\u202c")
        elif mark in "\u2066\u2067\u2068":
            open_.append("\u2069")
        elif not open_ or open_.pop() != mark:
            return False
    return not open_


def _name(character: str) -> str:
    """How a message names a character that cannot be shown."""
    named = {"\n": "line feed", "\t": "tab", "\r": "carriage return"}.get(character)
    return f"U+{ord(character):04X} ({named or unicodedata.name(character, 'control or private character').lower()})"
