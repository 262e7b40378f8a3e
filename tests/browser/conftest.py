"""One running service and one browser for all tests of a process; each test has a browser profile of its own."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from pymongo.database import Database

from notify_server.bootstrap import build_services
from tests.browser.site import Site
from tests.chromium import browser, chromium
from tests.fcm_simulator import SimulatorProcess
from tests.processes.free_ports import free_ports
from tests.service import Service

__all__ = ["browser", "chromium"]


@pytest.fixture(scope="module")
def site(
    chromium: str,
    mongodb_uri: str,
    database_name: str,
    shared_database: Database[dict[str, Any]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Site]:
    """Web, worker and scheduler as processes, the FCM simulator, and the mail catcher."""
    directory: Path = tmp_path_factory.mktemp("site")
    ports = dict(zip(("catcher_port", "catcher_smtp_port"), free_ports(2), strict=True))
    settings = {"web_processes": 1, "mail_catcher": True, **ports}
    with SimulatorProcess() as fcm, Service(mongodb_uri, database_name, fcm, directory, **settings) as service:
        for command in ("catcher", "web", "worker", "scheduler"):
            service.start(command)
        made = Site(service, fcm, build_services(service.config, shared_database), shared_database)
        made.await_ready()
        yield made
        assert service.failures() == []


@pytest.fixture
def page(browser: Browser, site: Site) -> Iterator[Page]:
    """A page of a new profile, on which nothing may go wrong: no error of a script, nothing that the policy forbids."""
    context = browser.new_context(base_url=f"{site.url}/", accept_downloads=True)
    opened = context.new_page()
    opened.set_default_timeout(30_000)  # milliseconds
    wrong: list[str] = []
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    yield opened
    context.close()
    assert [said for said in wrong if "the server responded with a status of" not in said] == []


@pytest.fixture
def admin(page: Page, site: Site) -> Page:
    """The same, signed in."""
    page.goto("sign-in")
    page.get_by_label("Server token").fill(site.token)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("h1")).to_have_text("Overview")
    return page
