"""What can be the id of a user, a group, a community or a device, or the name of a category."""

MAX_ID = 128  # characters


def is_possible(value: str) -> bool:
    """Whether `value` can be an id at all."""
    return 1 <= len(value) <= MAX_ID and is_writable(value)


def is_writable(value: str) -> bool:
    """Whether `value` could stand in a URL and in a log line.

    U+FFFD is what a URL shows in place of bytes that are not UTF-8.
    """
    return value.isprintable() and "/" not in value and "\ufffd" not in value and value not in {".", ".."}
