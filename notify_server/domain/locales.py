"""Language tags (BCP 47), and which of the locales at hand a reader gets: "Lookup" of RFC 4647, section 3.4."""

from collections.abc import Iterable


def normal(tag: str) -> str:
    """The usual spelling of a tag: language in small letters, script in title case, region in capitals (RFC 5646)."""
    language, *rest = tag.replace("_", "-").split("-")
    return "-".join([language.lower(), *(_subtag(each) for each in rest)])


def lookup(wanted: str, offered: Iterable[str]) -> str | None:
    """The offered locale that is the nearest to `wanted`: itself, or else less and less of it; None: there is none.

    `offered` in their usual spelling; `wanted` however it is spelled, also with Android's underscore.
    """
    tags = set(offered)
    parts = normal(wanted).split("-")
    while parts:
        if (tag := "-".join(parts)) in tags:
            return tag
        parts.pop()
        if parts and len(parts[-1]) == 1:  # a singleton says nothing without what follows it
            parts.pop()
    return None


def _subtag(subtag: str) -> str:
    if len(subtag) == 2 and subtag.isalpha():
        return subtag.upper()
    return subtag.title() if len(subtag) == 4 and subtag.isalpha() else subtag.lower()
