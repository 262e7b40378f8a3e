"""`scripts/pack_gallery [DIR] [--dark]`: a picture of each mail of the packs, by language, on a desk and on a phone.

Beside them sheets with several mails each, and everything that is plain text in one file. Needs Chromium, as
`scripts/screenshots` does.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import Page

from notify_server.domain.template import Template
from notify_server.services import packs
from notify_server.services.link_policy import LinkPolicy
from notify_server.services.packs import Piece
from notify_server.services.parsing import parse
from notify_server.services.rendering import Rendered, render
from notify_server.services.variables import Variables
from scripts.gallery.browser import WIDTHS, chromium

_BESIDE = {"desk": 2, "phone": 5}  # mails side by side on a sheet
_ROWS = {"desk": 3, "phone": 1}
_STYLE = "<style>body { display: flex; flex-wrap: wrap; align-items: start; margin: 0; background: #888 }</style>"


def main() -> int:
    """Take the pictures; the exit code: 1 where a mail is wider than its window."""
    parser = argparse.ArgumentParser(prog="scripts/pack_gallery", description=__doc__)
    parser.add_argument("directory", nargs="?", type=Path, default=Path("var/gallery"))
    parser.add_argument("--dark", action="store_true", help="as mail programs show them in the dark")
    arguments = parser.parse_args()
    directory: Path = arguments.directory
    directory.mkdir(parents=True, exist_ok=True)
    mails = {piece.name: _rendered(piece) for name in packs.names() for piece in packs.load(name).pieces}
    (directory / "texts.txt").write_text("\n".join(_texts(mails)))
    wide: list[str] = []
    with chromium() as browser:
        for name, width in WIDTHS.items():
            page = browser.new_page(
                viewport={"width": width, "height": 400}, color_scheme="dark" if arguments.dark else "light"
            )
            for locale, taken in _pictures(page, mails, directory, name, wide):
                sheet = browser.new_page(viewport={"width": _BESIDE[name] * width, "height": 100})
                _sheets(sheet, taken, directory / f"sheet-{locale}-{name}", _BESIDE[name] * _ROWS[name])
                sheet.close()
            page.close()
    print(f"Pictures of {len(mails)} mails, sheets and texts.txt in {directory}")
    print("\n".join(f"Wider than its window: {each}" for each in wide))
    return 1 if wide else 0


def _rendered(piece: Piece) -> Rendered:
    content = piece.content
    examples = {name: variable.example for name, variable in content.variables.items()}
    values = Variables(LinkPolicy(("https",), ())).read(content.variables, examples)
    return render(Template(piece.name, 1, content, datetime.now(UTC)), parse(content), values, mails=True)


def _texts(mails: dict[str, Rendered]) -> Iterator[str]:
    for name, rendered in mails.items():
        for locale, mail in rendered.mails.items():
            said = rendered.texts.of(locale)
            yield f"==== {name} {locale}\n{said.title}\n{said.body}\n----\n{mail.subject}\n\n{mail.text}\n"


def _pictures(
    page: Page, mails: dict[str, Rendered], directory: Path, width: str, wide: list[str]
) -> Iterator[tuple[str, list[Path]]]:
    """Take a picture of each mail; the files by locale."""
    for locale in sorted({locale for rendered in mails.values() for locale in rendered.mails}):
        taken = []
        for name, rendered in mails.items():
            page.set_content(rendered.mails[locale].html or "")
            taken.append(directory / f"{name}-{locale}-{width}.png")
            page.screenshot(path=taken[-1], full_page=True)
            if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
                wide.append(taken[-1].stem)
        yield locale, taken


def _sheets(page: Page, taken: Sequence[Path], stem: Path, most: int) -> None:
    """Put as many pictures on each sheet, in files whose names begin with `stem`."""
    html = stem.with_suffix(".html")
    for start in range(0, len(taken), most):
        html.write_text(_STYLE + "".join(f'<img src="{picture.name}">' for picture in taken[start : start + most]))
        page.goto(html.resolve().as_uri())
        page.screenshot(path=stem.with_name(f"{stem.name}-{start // most + 1}.png"), full_page=True)
    html.unlink()


if __name__ == "__main__":
    sys.exit(main())
