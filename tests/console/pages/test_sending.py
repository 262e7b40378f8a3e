import pytest

from tests.console.visitor import said

FORM = {"users": "u1\nu2, u3", "title": "Hello", "body": "First\r\nSecond", "channels": ["push"], "key": "k1"}


def test_it_is_accepted_like_any_other_and_leads_to_its_page(admin, services, database):
    answer = admin.submit("/send", **FORM | {"category": "news", "link": "https://example.org/a"})
    assert answer.status_code == 303
    [made] = database["notifications"].find()
    assert answer.location == f"/console/notifications/{made['_id']}"
    assert made["audience"]["users"] == ["u1", "u2", "u3"]
    assert made["message"] == {
        "title": "Hello", "body": "First\nSecond", "image": None, "link": "https://example.org/a", "data": {},
    }  # fmt: skip
    assert (made["category"], made["channels"], made["address"]) == ("news", ["push"], "127.0.0.1")
    [token] = services.server_tokens.listed()
    assert made["client"] == token["_id"]


def test_sent_twice_it_is_one(admin, database):
    first, second = admin.submit("/send", **FORM), admin.submit("/send", **FORM)
    assert first.location == second.location
    assert database["notifications"].count_documents({}) == 1
    changed = admin.submit("/send", **FORM | {"title": "Another"})
    assert changed.status_code == 409
    assert "Please send it again." in said(changed)
    assert database["notifications"].count_documents({}) == 1


@pytest.mark.parametrize(
    ("wrong", "field", "fault"),
    [
        ({"users": " \n,"}, "users", "Name 1 to 100 users."),
        ({"users": "\n".join(f"u{number}" for number in range(101))}, "users", "Name 1 to 100 users."),
        ({"users": "a/b"}, "users", "Must not contain slashes"),
        ({"title": "x" * 5000}, "title", "Length must be between"),
        ({"link": "javascript:alert(1)"}, "link", ""),
        ({"link": "http://example.org"}, "link", "https"),
        ({"category": "a/b"}, "category", "Must not contain slashes"),
        ({"channels": []}, "channels", "Shorter than minimum length 1."),
    ],
)
def test_what_is_wrong_stands_by_its_field_and_nothing_is_lost(admin, database, wrong, field, fault):
    page = admin.submit("/send", **FORM | wrong)
    assert page.status_code == 422
    assert f'id="{field}-fault"' in page.text
    assert fault in said(page)
    assert "Nothing was sent." in said(page)
    assert "First\nSecond" in page.text
    assert database["notifications"].count_documents({}) == 0


def test_a_message_of_nothing_is_told_above_the_form(admin):
    page = admin.submit("/send", users="u1", channels=["push"], key="k")
    assert page.status_code == 422
    assert "Nothing was sent. Needs a title, a body or data." in said(page)


def test_it_has_its_line_in_the_audit_log(admin, database):
    admin.submit("/send", **FORM)
    admin.submit("/send", **FORM | {"title": "Another"})
    [made] = database["notifications"].find()
    first, second = database["audit"].find({"action": "console.send"}).sort("_id", 1)
    assert first["object"] == {"kind": "notification", "id": str(made["_id"]), "pseudonym": False}
    assert (first["status"], second["status"]) == (303, 409)
    assert first["fields"] == ["channels", "message", "users"]
    assert "Hello" not in str(first)


def test_the_form_comes_filled_in_with_a_user(admin):
    assert ">u7</textarea>" in admin.get("/send?user=u7").text
