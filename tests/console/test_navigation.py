import re

import pytest

LINK = re.compile(r'<li><a href="([^"]+)"( aria-current="page")?>([^<]+)</a></li>')


def ways(page):
    nav = page.text.partition('<nav aria-label="Pages">')[2].partition("</nav>")[0]
    return LINK.findall(nav)


def test_every_way_leads_somewhere_and_says_where_it_is(admin):
    found = ways(admin.get("/notifications"))
    assert len(found) >= 8
    for url, _, label in found:
        page = admin.get(url.removeprefix("/console"))
        assert page.status_code == 200, label
        assert [other for other, here, _ in ways(page) if here] == [url]


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        ("send", ["Queue and channels", "Mails", "E-mail settings", "Send a test"]),
        ("statistics", ["Overview", "Groups", "Devices", "Queue and channels", "Mails", "E-mail settings"]),
        ("users", ["Queue and channels", "Mails", "E-mail settings"]),
    ],
)
def test_only_what_the_token_may_see_is_offered(signed_in, scope, expected):
    page = signed_in(scope).get("/notifications")
    assert [label for _, _, label in ways(page)] == expected


def test_before_the_sign_in_there_are_none(visitor):
    assert ways(visitor.get("/sign-in")) == []
