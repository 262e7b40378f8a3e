"""The console as a person uses it, in Chromium, with every process of the service running."""

import json
import re

import pytest
from playwright.sync_api import Page, expect

from tests.service import until


def test_signing_in_takes_a_keyboard_and_nothing_else(page, site):
    page.goto("notifications?state=done")
    expect(page.get_by_label("Server token")).to_be_focused()
    page.keyboard.type("nobody")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("This is not a valid server token.")
    expect(page.get_by_label("Server token")).to_be_focused()
    page.keyboard.type(site.token)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/console/notifications\?state=done$"))

    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"

    page.get_by_role("button", name="Sign out").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("You have signed out.")
    page.goto("notifications")
    expect(page.get_by_role("heading", name="Notify Server")).to_be_visible()


def test_no_cookie_is_within_reach_of_a_script(admin):
    assert admin.evaluate("document.cookie") == ""
    [session] = admin.context.cookies()
    assert (session["name"], session["httpOnly"], session["sameSite"]) == ("notify_console", True, "Strict")
    assert session["path"] == "/console"


def test_why_a_user_got_nothing_is_found_by_the_beginning_of_their_id(admin, site):
    site.phone("marian-1", received_after=None)
    identity = site.send("marian-1", "marian-2", title="Parents' evening")
    until(lambda: site.stands(identity, "marian-1", "sent"), "the send")

    admin.get_by_role("link", name="Why not received?").click()
    admin.get_by_label("User id").fill("marian")
    admin.get_by_role("button", name="Look up").click()
    admin.get_by_role("link", name="marian-2").click()
    expect(admin.get_by_role("heading", name="marian-2", level=1)).to_be_visible()
    entries = admin.get_by_role("region", name="What was sent to this user")
    expect(entries).to_contain_text("Parents' evening")
    expect(entries).to_contain_text("Not sent yet: no device")
    expect(entries).to_contain_text("It is sent as soon as one is registered, until it expires.")
    expect(admin.get_by_role("region", name="Devices")).to_contain_text("No device.")
    entries.get_by_role("link", name="The notification").click()
    expect(admin.get_by_role("heading", name="Parents' evening", level=1)).to_be_visible()
    expect(admin.get_by_role("row", name=re.compile("marian-2"))).to_contain_text("No device")


def funnel(page: Page) -> dict[str, str]:
    return {
        name: page.locator(f'[data-step="{name}"] [data-count]').inner_text()
        for name in ("recipients", "sent", "received", "read")
    }


def test_a_test_is_sent_and_its_funnel_fills_while_one_looks(admin, site):
    site.phone("ada", received_after=1.0, read_after=2.5)
    site.phone("bob", received_after=1.5)
    admin.get_by_role("link", name="Send a test").click()
    admin.get_by_label("Users").fill("ada\nbob\nzoe")
    admin.get_by_label("Title").fill("Only a test")
    admin.get_by_role("button", name="Send").click()
    expect(admin.get_by_role("heading", name="Only a test", level=1)).to_be_visible()
    begun = admin.evaluate("performance.timeOrigin")

    expect(admin.locator('[data-step="read"] [data-count]')).to_have_text("1")
    expect(admin.locator('[data-step="received"] [data-count]')).to_have_text("2")
    assert funnel(admin) == {"recipients": "3", "sent": "2", "received": "2", "read": "1"}
    expect(admin.locator('[data-step="read"] [data-share]')).to_have_text("33.3 %")
    width = admin.locator('[data-step="read"] rect').get_attribute("width")
    assert width is not None
    assert round(float(width.rstrip("%"))) == 33
    expect(admin.locator("figure canvas")).to_be_visible()
    assert admin.locator("#curve tbody tr").count() >= 2
    assert admin.evaluate("performance.timeOrigin") == begun  # the page was not loaded again


def test_the_page_says_the_same_without_a_script(browser, site):
    identity = site.send("lea", title="Without a script")
    until(lambda: site.stands(identity, "lea", "pending"), "the entry")
    context = browser.new_context(base_url=f"{site.url}/", java_script_enabled=False)
    page = context.new_page()
    page.goto("sign-in")
    page.get_by_label("Server token").fill(site.token)
    page.get_by_role("button", name="Sign in").click()
    page.goto(f"notifications/{identity}")
    assert funnel(page) == {"recipients": "1", "sent": "0", "received": "0", "read": "0"}
    expect(page.get_by_role("link", name="Reload")).to_be_visible()
    page.goto("")
    expect(page.get_by_role("table").first).to_be_visible()
    context.close()


def test_an_export_counts_its_records_and_saves_the_whole_file(admin, site):
    identity = site.send(*(f"exported-{number}" for number in range(30)), title="To be exported")
    until(lambda: site.stands(identity, "exported-7", "pending"), "the entry")
    admin.get_by_role("link", name="Export").click()
    admin.get_by_label("Notification id").fill(identity)
    admin.evaluate("delete window.showSaveFilePicker")  # it would open a window of the system's
    with admin.expect_download() as saved:
        admin.get_by_role("button", name="Export").click()
    lines = [json.loads(line) for line in saved.value.path().read_text().splitlines()]
    assert (saved.value.suggested_filename, len(lines), lines[-1]["entries"]) == ("registry.ndjson", 32, 30)
    expect(admin.get_by_text(re.compile("^Done: 30 entries"))).to_be_visible()


def test_an_export_that_is_refused_says_why(admin):
    admin.goto("export")
    admin.evaluate("delete window.showSaveFilePicker")
    admin.get_by_label("Notification id").fill("nothing")
    admin.get_by_role("button", name="Export").click()
    expect(admin.locator("#outcome")).to_contain_text("There is no notification")
    expect(admin.get_by_role("button", name="Export")).to_be_enabled()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_charts_are_drawn_from_their_tables_in_the_colours_of_the_page(admin, site, scheme):
    identity = site.send("mia", title="For the charts")
    until(lambda: site.stands(identity, "mia", "pending"), "the entry")
    admin.emulate_media(color_scheme=scheme)
    admin.goto("")
    chart = admin.locator('figure[data-chart="stack"]')
    expect(chart.locator("canvas")).to_be_visible()
    expect(chart.get_by_role("table")).to_be_hidden()
    chart.get_by_text("Figures as a table").click()
    expect(chart.get_by_role("table")).to_be_visible()
    painted = chart.locator("canvas").evaluate(
        "canvas => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some(Boolean)"
    )
    assert painted


def test_a_session_that_ends_under_an_open_page_is_told(admin, site):
    identity = site.send("tim", title="Left open")
    until(lambda: site.stands(identity, "tim", "pending"), "the entry")
    admin.goto(f"notifications/{identity}")
    expect(admin.locator("#freshness")).to_contain_text("Live")
    site.database["sessions"].delete_many({})
    expect(admin.locator("#freshness")).to_have_text("Your session has ended. Reload the page to sign in again.")
    admin.reload()
    expect(admin.get_by_label("Server token")).to_be_visible()


def test_a_mail_of_a_template_is_shown_in_its_frame_as_it_looks(admin, site):
    site.services.packs.install("events")
    admin.get_by_role("link", name="Templates").click()
    admin.get_by_role("link", name="ticket_purchased", exact=True).click()
    mail = admin.frame_locator("iframe")
    expect(mail.get_by_role("heading")).to_have_text("Your tickets for Sommertagung 2027")
    card = mail.locator(".card").evaluate("card => getComputedStyle(card).borderRadius")
    assert card == "12px"  # its own styles count, within the frame's own policy
    admin.get_by_role("navigation", name="Locales").get_by_role("link", name="de", exact=True).click()
    expect(mail.get_by_role("heading")).to_have_text("Ihre Karten für Sommertagung 2027")
    expect(admin.locator("pre").first).to_contain_text("vielen Dank für Ihre Bestellung")
