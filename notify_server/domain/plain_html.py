"""A message without a template as HTML: its paragraphs, and its link, with nothing in it that could be a tag."""

import re
from html import escape

_PAGE = (
    '<!DOCTYPE html><html><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    '</head><body style="margin:0 auto;max-width:36em;padding:1em;font:16px/1.5 sans-serif;color:#222">{}</body></html>'
)
_PARAGRAPHS = re.compile(r"\n\s*\n")


def page(text: str, link: str | None = None) -> str:
    """The HTML of a plain text, which may end with `link`."""
    if link is not None:
        text = text.removesuffix(link).rstrip()
    parts = [f"<p>{_lines(part)}</p>" for part in _PARAGRAPHS.split(text) if part.strip()]
    if link is not None:
        shown = escape(link)
        parts.append(f'<p><a href="{shown}">{shown}</a></p>')
    return _PAGE.format("".join(parts))


def _lines(part: str) -> str:
    return "<br>".join(escape(line) for line in part.strip().splitlines())
