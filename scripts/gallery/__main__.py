"""`scripts/screenshots [DIR] [--only PART]`: a filled installation, and a picture of each page of its console.

Needs Chromium: /usr/bin/chromium of Debian, or another one by NOTIFY_CHROMIUM.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page

from notify_server import logs
from notify_server.services.clock import database_clock
from scripts.benchmarks.fcm_peer import FcmPeer
from scripts.benchmarks.installation import Installation, installation
from scripts.gallery.browser import WIDTHS, chromium
from scripts.gallery.mailing import Mails, send
from scripts.gallery.scene import Scene, fill

_SCHEMES = ("light", "dark")


def main() -> int:
    """Take the pictures; the exit code."""
    parser = argparse.ArgumentParser(prog="scripts/screenshots", description=__doc__)
    parser.add_argument("directory", nargs="?", type=Path, default=Path("var/screenshots"))
    parser.add_argument("--only", default="", help="those pages whose name begins like this")
    arguments = parser.parse_args()
    logs.configure("warning", "console", "screenshots")
    arguments.directory.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="notify-gallery-") as made,
        FcmPeer(recording=True) as peer,
        installation(peer, catching=True, log=Path(made) / "log") as running,
        chromium() as browser,
    ):
        running.start("scheduler")
        scene = fill(running.database, database_clock(running.database)())
        mails = send(running)
        taken = _take(browser, running, _pages(scene, mails), arguments.directory, arguments.only)
    print(f"{taken} pictures in {arguments.directory}")
    return 0


def _take(browser: Browser, running: Installation, pages: dict[str, str], directory: Path, only: str) -> int:
    taken = 0
    for scheme in _SCHEMES:
        for name, width in WIDTHS.items():
            context = browser.new_context(
                color_scheme=scheme, viewport={"width": width, "height": 900}, device_scale_factor=1
            )
            page = context.new_page()
            for title, path in pages.items():
                if title == "sign-in" or title.startswith(only):
                    page.goto(f"http://127.0.0.1:{running.config.port}/console{path}")
                    page.wait_for_load_state("networkidle")
                    for frame in page.locator("iframe").all():
                        frame.scroll_into_view_if_needed()  # one that is out of sight is not drawn
                    page.screenshot(path=directory / f"{title}-{scheme}-{name}.png", full_page=True)
                    taken += 1
                if title == "sign-in":
                    _sign_in(page, running.token)
            context.close()
    return taken


def _sign_in(page: Page, token: str) -> None:
    page.get_by_label("Server token").fill(token)
    page.get_by_role("button", name="Sign in").click()


def _pages(scene: Scene, mails: Mails) -> dict[str, str]:
    """Paths below /console, by the name of the picture."""
    return {
        "sign-in": "/sign-in",
        "overview": "/",
        "notifications": "/notifications",
        "notifications-none": "/notifications?category=nobody",
        "notifications-wrong": "/notifications?from=yesterday",
        "notification": f"/notifications/{scene.notification}",
        "why": "/users",
        "why-choice": "/users?user=user-00",
        "user": f"/users/{scene.user}?notification={scene.notification}",
        "mailed-notification": f"/notifications/{mails.notification}",
        "mailed-user": f"/users/{mails.user}?notification={mails.notification}",
        "mails": "/mails",
        "mail": f"/mails/{mails.sent}",
        "mail-blocked": f"/mails/{mails.blocked}",
        "caught": "/caught",
        "caught-mail": "/caught/1",
        "email-settings": "/settings/email",
        "templates": "/templates",
        "template": "/templates/ticket",
        "groups": "/groups",
        "group": "/groups/class-101",
        "devices": "/devices",
        "health": "/health",
        "export": "/export",
        "send": f"/send?user={scene.user}",
        "missing": "/notifications/000000000000000000000000",
    }


if __name__ == "__main__":
    sys.exit(main())
