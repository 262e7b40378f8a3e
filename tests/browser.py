"""A browser for tests: the system's Chromium, without a window, driven by Playwright. None is downloaded."""

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """For the tests of one module, which must not run an event loop of their own meanwhile: Playwright's runs."""
    path = next(filter(None, map(shutil.which, _NAMES)), None)
    if path is None:
        pytest.skip("there is no Chromium here (Debian and Ubuntu: apt-get install chromium)")
    unconfined = ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium refuses to confine itself as root
    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=path, args=unconfined)
        yield chromium
        chromium.close()
