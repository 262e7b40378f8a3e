"""The page at /demo as a person uses it, in a real browser, at a real gateway."""

import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, Page, expect
from werkzeug.serving import make_server

from notify_server.api.app import create_app
from notify_server.bootstrap import Services
from notify_server.config import Config
from notify_server.domain.registry import Status
from tests.chromium import browser, chromium
from tests.processes.realtime import RealtimeProcess
from tests.realtime_clients.conftest import Announce
from tests.realtime_clients.test_conversation import status
from tests.service import until

__all__ = ["browser", "chromium"]


@pytest.fixture(scope="module")
def url(settings: Config, services: Services, realtime: RealtimeProcess) -> Iterator[str]:
    """Where the page is."""
    app = create_app(replace(settings, demo=True, realtime_port=realtime.port), services)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}/demo"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def page(browser: Browser, url: str) -> Iterator[Page]:
    """The page, opened; nothing in it may have gone wrong at the end."""
    opened, problems = browser.new_page(), list[str]()
    opened.on("pageerror", lambda error: problems.append(str(error)))
    opened.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    opened.goto(url)
    yield opened
    opened.close()
    assert problems == []


def log_in(page: Page, user: str) -> None:
    page.get_by_label("Demo user").fill(user)
    page.get_by_role("button", name="Log in").click()
    expect(page.locator("#state")).to_have_text("live")
    expect(page.locator("#user")).to_have_text(user)


def test_a_notification_appears_at_once_and_is_received_and_read(
    page: Page, announce: Announce, services: Services
) -> None:
    log_in(page, "demo-ada")
    expect(page.locator("#unread")).to_have_text("all read")
    announce("demo-grace", title="Not hers")
    notification = announce("demo-ada", title="Room changed")
    item = page.get_by_role("listitem").filter(has=page.get_by_role("heading", name="Room changed"))
    expect(item).to_be_visible()
    expect(page.locator("#unread")).to_have_text("1 unread")
    until(lambda: status(services, notification) == Status.RECEIVED, "the page has reported it received")
    item.get_by_role("button", name="Mark as read").click()
    until(lambda: status(services, notification) == Status.READ, "the page has reported it read")
    expect(page.locator("#unread")).to_have_text("all read")
    expect(item.get_by_role("button")).to_be_hidden()
    assert page.get_by_role("heading", name="Not hers").count() == 0


def test_what_is_read_elsewhere_is_read_here(page: Page, announce: Announce, services: Services) -> None:
    read, unread = [announce("demo-alan", title=title) for title in ("First", "Second")]
    log_in(page, "demo-alan")
    expect(page.locator("#unread")).to_have_text("2 unread")
    services.inbox.mark("demo-alan", read, read=True)
    expect(page.locator("#unread")).to_have_text("1 unread")
    expect(page.locator(f"#n-{read}").get_by_role("button")).to_be_hidden()
    expect(page.locator(f"#n-{unread}").get_by_role("button")).to_be_visible()


def test_nobody_logs_in_with_a_token_that_is_none(browser: Browser, url: str) -> None:
    page = browser.new_page()
    page.goto(url)
    page.get_by_label("Or paste a user token").fill("nonsense")
    page.get_by_role("button", name="Use token").click()
    expect(page.get_by_role("alert")).to_have_text("This is not a valid user token.")
    expect(page.locator("#inbox")).to_be_hidden()
    page.close()
