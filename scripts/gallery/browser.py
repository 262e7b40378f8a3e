"""The browser that takes pictures."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

WIDTHS = {"desk": 1280, "phone": 390}  # CSS pixels


@contextmanager
def chromium() -> Iterator[Browser]:
    """Chromium, without a window: /usr/bin/chromium of Debian, or another one by NOTIFY_CHROMIUM."""
    executable = os.environ.get("NOTIFY_CHROMIUM", "/usr/bin/chromium")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        yield launched
        launched.close()
