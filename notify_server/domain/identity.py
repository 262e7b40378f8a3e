"""What can be the id of a user, a group, a community or a device, or the name of a category."""

from notify_server.domain import text

MAX_ID = 128  # characters


def is_possible(value: str) -> bool:
    """Whether `value` can be an id at all."""
    return 1 <= len(value) <= MAX_ID and is_writable(value)


def is_writable(value: str) -> bool:
    """Whether `value` could stand in a URL and in a log line.

    Normalise it first (`text.nfc`). U+FFFD is what a URL shows in place of bytes that are not UTF-8.
    """
    if not value.isprintable() or "/" in value or value in {".", ".."}:
        return False
    return value.isascii() or not ("\ufffd" in value or text.is_stacked(value) or text.has_filler(value))
