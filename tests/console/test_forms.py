import pytest

from notify_server.console import forms
from tests.console.visitor import Visitor, said

MESSAGE = {"users": "u1", "title": "Hello", "channels": "push", "key": "k"}


@pytest.fixture
def forms_of(console):
    """The pages that a form can be sent to."""
    return [rule.rule for rule in console.url_map.iter_rules() if "POST" in rule.methods]


def test_no_form_is_taken_without_its_token(admin, services, database, forms_of):
    before = {name: database[name].count_documents({}) for name in ("notifications", "sessions", "audit")}
    assert len(forms_of) >= 3
    for path in forms_of:
        for wrong in ({}, {forms.FIELD: ""}, {forms.FIELD: "0" * 64}, {forms.FIELD: "ü"}):
            page = admin.post(path, MESSAGE | wrong)
            assert page.status_code == 403, path
            assert "Go back, reload the page and send it again" in said(page)
    assert {name: database[name].count_documents({}) for name in before} == before


def test_the_token_of_another_session_is_none(admin, signed_in):
    stolen = signed_in().form_token("/send")
    assert admin.post("/send", MESSAGE | {forms.FIELD: stolen}).status_code == 403
    assert admin.post("/send", MESSAGE | {forms.FIELD: admin.form_token("/send")}).status_code == 303


def test_the_token_of_another_visitor_is_none(mounted, services):
    one, other = Visitor(mounted), Visitor(mounted)
    token = services.server_tokens.create("ops", [])
    one.get("/sign-in")
    assert one.post("/sign-in", {"token": token, forms.FIELD: other.form_token("/sign-in")}).status_code == 403
    assert one.cookie("notify_console") is None


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
def test_what_a_browser_says_comes_from_elsewhere_is_refused(admin, site):
    fields = MESSAGE | {forms.FIELD: admin.form_token("/send")}
    assert admin.post("/send", fields, Sec_Fetch_Site=site).status_code == 403
    assert admin.post("/send", fields, Sec_Fetch_Site="same-origin").status_code == 303


def test_a_session_has_one_token_and_the_visitor_before_it_another(visitor, services):
    before = visitor.form_token("/sign-in")
    assert visitor.form_token("/sign-in") == before
    visitor.sign_in(services.server_tokens.create("ops", []))
    assert visitor.form_token("/notifications") == visitor.form_token("/send") != before
