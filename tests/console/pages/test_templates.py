from dataclasses import replace

import pytest

from notify_server.console.queries import PAGE
from notify_server.domain.template import Content, Source, Variable, VariableType
from tests.console.visitor import said

HTML = "<html><body style='color: red'><script>alert(1)</script><p>{{ event }}</p></body></html>"
ENGLISH = Source(
    "Ticket for {{ event }}", "Dear {{ user.id }},\nit is here.", "Your <ticket>", HTML, "Get it: {{ url }}"
)
GERMAN = replace(ENGLISH, title="Karte für {{ event }}", subject="Ihre Karte")
TICKET = Content(
    "en",
    {"en": ENGLISH, "de": GERMAN},
    {
        "event": Variable(VariableType.STRING, example="<Fair>"),
        "url": Variable(VariableType.URL, example="https://example.org/1"),
        "seats": Variable(VariableType.LIST, required=False, example=["A1", 2]),
    },
    "tickets",
    "{{ url }}",
    data={"screen": "ticket"},
)


@pytest.fixture
def templates(services):
    return services.templates


def test_templates_are_listed_by_name_and_lead_to_their_page(admin, templates):
    templates.put("ticket", TICKET)
    templates.put("ticket", TICKET)
    templates.put("bye", Content("fr", {"fr": Source("Au revoir")}), "farewells")
    page = admin.get("/templates")
    assert "bye – fr farewells 1" in said(page)
    assert "ticket tickets de, en – 2" in said(page)
    assert said(page).index("bye") < said(page).index("ticket tickets")
    assert 'href="/console/templates/ticket"' in page.text


def test_a_long_list_has_pages(admin, templates):
    for number in range(PAGE + 1):
        templates.put(f"t{number:02}", Content("en", {"en": Source("T")}))
    first = admin.get("/templates")
    assert "t49" in said(first)
    assert "t50" not in said(first)
    cursor = first.text.partition("/console/templates?cursor=")[2].partition('"')[0]
    second = said(admin.get(f"/templates?cursor={cursor}"))
    assert ("t50" in second, "t49" in second, "Back to the first" in second) == (True, False, True)
    assert "t00" in said(admin.get("/templates?cursor=!"))


def test_without_any_it_says_how_to_get_some(admin):
    assert "notify-server pack install events" in said(admin.get("/templates"))


def test_one_is_shown_as_its_readers_get_it(admin, templates):
    templates.put("ticket", TICKET)
    page = admin.get("/templates/ticket")
    text = said(page)
    assert "version 1" in text
    assert "Title Ticket for <Fair> Body Dear {{ user.id }}, it is here. Link https://example.org/1" in text
    assert "Data: screen ticket Subject of the mail Your <ticket>" in text
    assert "Get it: https://example.org/1" in text
    assert (
        'sandbox src="/console/templates/ticket/html?version=1&amp;locale=en" title="Your &lt;ticket&gt;' in page.text
    )
    assert "Karte für" not in text
    assert 'event string yes <Fair> seats list no ["A1", 2] url url yes' in text
    assert "Category tickets From somebody who wrote it" in text


def test_each_locale_has_its_preview(admin, templates):
    templates.put("ticket", TICKET)
    page = admin.get("/templates/ticket?locale=de-AT")
    assert "Karte für <Fair>" in said(page)
    assert 'locale=de" aria-current="true">de</a>' in page.text
    assert 'locale=en">en (default)</a>' in page.text
    assert "en (default)" in said(admin.get("/templates/ticket?locale=fr"))


def test_a_version_that_is_not_the_newest_says_so(admin, templates):
    templates.put("ticket", TICKET)
    templates.put("ticket", replace(TICKET, locales={"en": replace(ENGLISH, title="New words")}))
    old, new = admin.get("/templates/ticket?version=1"), admin.get("/templates/ticket")
    assert "Ticket for <Fair>" in said(old)
    assert "Notifications use version 2 by now." in said(old)
    assert "New words" in said(new)
    assert "by now" not in said(new)
    assert "version=1" in new.text
    assert admin.get("/templates/ticket/html?version=1&locale=de").status_code == 200


def test_many_versions_have_pages(admin, templates):
    for number in range(PAGE + 2):
        templates.put("t", Content("en", {"en": Source(f"T{number}")}))
    first = admin.get("/templates/t")
    assert "version=3&amp;" in first.text
    assert "version=2&amp;" not in first.text
    assert "/console/templates/t?before=3#versions" in first.text
    rest = admin.get("/templates/t?before=3")
    assert "version=2&amp;" in rest.text
    assert "version=3&amp;" not in rest.text
    assert "Back to the newest" in said(rest)


def test_the_html_of_a_mail_is_for_a_frame_in_which_nothing_runs(admin, templates):
    templates.put("ticket", TICKET)
    answer = admin.get("/templates/ticket/html?locale=de")
    assert answer.text == HTML.replace("{{ event }}", "&lt;Fair&gt;")
    policy = answer.headers["Content-Security-Policy"]
    assert "; sandbox;" in policy
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline';")
    assert "frame-ancestors 'self'" in policy


def test_one_without_mail_has_neither_frame_nor_text(admin, templates):
    templates.put("bare", Content("en", {"en": Source("T", "B")}))
    page = admin.get("/templates/bare")
    assert "It has no mail." in said(page)
    assert "It has none." in said(page)
    assert "<iframe" not in page.text
    assert admin.get("/templates/bare/html").status_code == 404


def test_one_without_examples_says_what_it_lacks_and_shows_its_sources(admin, templates):
    bare = {name: replace(variable, example=None) for name, variable in TICKET.variables.items()}
    templates.put("ticket", replace(TICKET, variables=bare))
    page = said(admin.get("/templates/ticket"))
    assert "It cannot be shown with the examples of its variables: variables.event : Is missing." in page
    assert "Get it: {{ url }}" in page
    assert admin.get("/templates/ticket/html").status_code == 422


@pytest.mark.parametrize("path", ["nothing", "nothing/html", "t?version=2", "t?version=x", "t?locale=!", "t?before=-1"])
def test_what_is_not_there_is_told(admin, templates, path):
    templates.put("t", Content("en", {"en": Source("T")}))
    assert admin.get(f"/templates/{path}").status_code == 404


def test_a_token_without_the_scope_is_told_which(signed_in):
    page = signed_in("send").get("/templates")
    assert (page.status_code, "lacks the scope read." in said(page)) == (403, True)
