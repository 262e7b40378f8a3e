"""A browser for tests: the system's Chromium, without a window, driven by Playwright. None is downloaded."""

import os
from collections.abc import Iterator, Mapping
from shutil import which

import pytest
from playwright.sync_api import Browser, sync_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def chromium() -> str:
    """Its path."""
    return path(os.environ)


def path(environment: Mapping[str, str]) -> str:
    """NOTIFY_CHROMIUM, or the system's. Without one the test is skipped; with NOTIFY_CHROMIUM_REQUIRED=1 it fails."""
    search = environment.get("PATH", "")
    found = environment.get("NOTIFY_CHROMIUM") or next(filter(None, (which(n, path=search) for n in _NAMES)), None)
    if found is None:
        give_up = pytest.fail if environment.get("NOTIFY_CHROMIUM_REQUIRED") == "1" else pytest.skip
        give_up("there is no Chromium here (Debian and Ubuntu: apt-get install chromium)")
    return found


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """For the tests of one module, which must not run an event loop of their own meanwhile: Playwright's runs."""
    unconfined = ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium refuses to confine itself as root
    with sync_playwright() as driver:
        launched = driver.chromium.launch(executable_path=chromium, args=unconfined)
        yield launched
        launched.close()
