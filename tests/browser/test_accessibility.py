"""axe-core finds nothing serious on any page, light or dark, wide or narrow; and no page is wider than its window."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from notify_server.domain.mail import mail_id
from notify_server.domain.notification import Channel
from notify_server.domain.registry import Event, Note, Reason
from notify_server.domain.template import Content, Source, Variable, VariableType
from notify_server.services.clock import utc_now
from notify_server.storage.blocked_addresses import BlockedAddresses
from notify_server.storage.registry import Registry
from tests.service import until

GRAVE = {"serious", "critical"}
SCHEMES = ("light", "dark")
PAGES = (
    "", "notifications", "notifications?category=nobody", "notifications?from=yesterday", "notifications/{n}",
    "users", "users?user=axe", "users?user=nobody", "users/axe-1", "users/axe-1?notification={n}", "groups",
    "groups/axe-group", "devices", "health", "export", "send", "notifications/nothing",
    "mails", "mails?status=failed", "mails?from=yesterday", "mails/{mail}", "mails/{blocked}", "caught", "caught/1",
    "settings/email",
    "templates", "templates/ticket_purchased", "templates/user_confirm?locale=de", "templates/axe-bare?version=1",
)  # fmt: skip


@pytest.fixture(scope="module")
def filled(site):
    """Something on each page."""
    site.phone("axe-1")
    site.services.people.put("axe-2", {})
    site.services.membership.replace("axe-group", None, ["axe-1", "axe-2"])
    identity = site.send("axe-1", "axe-2", title="For axe", category="news")
    until(lambda: site.stands(identity, "axe-2", "pending"), "the entry")
    until(lambda: site.stands(identity, "axe-1", "received"), "the receipt")
    Registry(site.database).move(Event.FAIL, {identity: ["axe-2"]}, Note(utc_now(), Reason.UNREGISTERED, "gone"))
    site.services.packs.install("events")
    bare = Content("en", {"en": Source("{{ event }}")}, {"event": Variable(VariableType.STRING)})
    site.services.templates.put("axe-bare", bare)
    site.services.templates.put("axe-bare", bare)
    return {"n": identity, **_mailed(site)}


def _mailed(site):
    """A mail that was sent and caught, and one to an address that is blocked."""
    found = {}
    for user, name, status in (("axe-1", "mail", "sent"), ("axe-3", "blocked", "suppressed")):
        site.services.people.put(user, {"email": f"{user}@school.example"})
        if name == "blocked":
            BlockedAddresses(site.database).block(f"{user}@school.example", Reason.BOUNCED, "5.1.1", utc_now())
        mailed = site.send(user, title="For axe, by mail", channels=(Channel.EMAIL,))
        until(lambda mailed=mailed, user=user, status=status: site.stands(mailed, user, status), "the mail")
        found[name] = mail_id(mailed, user)
    return found


def faults(page):
    """What is serious or critical on a page: rule, and where. It does not wait for an answer of a mail's frame."""
    found = Axe().run(page, options={"resultTypes": ["violations"], "iframes": False}).response["violations"]
    return [(one["id"], [node["target"] for node in one["nodes"]]) for one in found if one["impact"] in GRAVE]


def audit(page, paths):
    """The faults of each page, which is loaded once: in dark colours it is the same page."""
    found = {}
    for path in paths:
        page.goto(path)
        page.evaluate("for (const details of document.querySelectorAll('details')) details.open = true")
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            if wrong := faults(page):
                found[f"{path}, {scheme}"] = wrong
        width, window = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
        if width > window:
            found[f"{path} is too wide"] = width
    return found


@pytest.mark.parametrize("width", [1280, 360])
def test_no_page_has_a_serious_fault(admin, filled, width):
    admin.set_viewport_size({"width": width, "height": 800})
    assert audit(admin, [path.format(**filled) for path in PAGES]) == {}


def test_neither_has_the_sign_in(page):
    assert audit(page, ["sign-in", "sign-in?why=ended", "sign-in?why=left"]) == {}


def test_a_fault_would_be_found(admin):
    admin.goto("send")
    admin.evaluate("document.querySelector('label[for=title]').remove()")
    assert "label" in [rule for rule, _ in faults(admin)]
