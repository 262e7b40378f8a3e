"""Whatever text comes: no answer is an error of ours, and what is accepted comes back the same but for its form."""

import unicodedata
from html.parser import HTMLParser
from urllib.parse import quote, urlsplit

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from notify_server.domain.user import Mutable

TEXT = st.text(max_size=40) | st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Co", "Cn", "Zl", "Zp"]), max_size=40
)
KEPT = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
DECOMPOSED, COMPOSED = "Zoe\u0308 ga\u0301", "Zo\u00eb g\u00e1"
MARKUP = "</script><script>alert(1)</script><img src=x onerror=alert(1)>"


def nfc(value):
    return unicodedata.normalize("NFC", value)


@KEPT
@given(title=TEXT, body=TEXT, category=TEXT, group=TEXT, key=TEXT, value=TEXT)
@example(title=DECOMPOSED, body=MARKUP, category=DECOMPOSED, group=DECOMPOSED, key="k", value=DECOMPOSED)
def test_a_notification_is_refused_by_field_or_comes_back(backend, **drawn):  # what is drawn has the names below
    title, body, category, group, key, value = map(drawn.get, ("title", "body", "category", "group", "key", "value"))
    message = {"title": title, "body": body, "data": {key: value}}
    answer = backend.post("/v1/notifications", {"message": message, "groups": [group], "category": category})
    assert answer.status_code in {202, 422}
    if answer.status_code == 202:
        shown = backend.get(f"/v1/notifications/{answer.json['id']}").json
        told = shown["message"]["title"], shown["message"]["body"], shown["category"], *shown["groups"]
        assert told == (nfc(title), nfc(body), nfc(category), nfc(group))
        assert shown["message"]["data"] == {key: value}  # it is the app's: not a character is touched


@KEPT
@given(TEXT)
@example(DECOMPOSED)
def test_a_user_is_refused_or_is_the_same_by_path_by_body_and_by_token(backend, device_of, user):
    made = (
        backend.put(f"/v1/users/{quote(user, safe='')}", {})
        if user not in {"", ".", ".."} and "/" not in user
        else None
    )
    named = backend.put("/v1/groups/g", {"members": [user]})
    assert named.status_code in {200, 201, 422}
    if named.status_code != 422:
        assert made.json["id"] == nfc(user) == named.json["members"][0]
        assert device_of(user).get("/v1/me/devices").status_code == 200


@KEPT
@given(TEXT)
def test_a_device_is_refused_or_shown_as_it_is(device_of, text):
    device = {"platform": "ios", "token": "t", "app_version": text}
    answer = device_of("u1").put("/v1/me/devices/d1", device)
    assert answer.status_code in {200, 201, 422}
    assert answer.status_code == 422 or answer.json["app_version"] == nfc(text)


@KEPT
@given(TEXT | st.text("htps:/\\.@?#[]%-a1ä\u200b", max_size=30).map("https://".__add__))
def test_a_link_is_refused_or_leads_to_a_host_in_ascii(backend, link):
    answer = backend.post("/v1/notifications", {"message": {"title": "t", "link": link}, "users": ["u"]})
    assert answer.status_code in {202, 422}
    if answer.status_code == 202:
        shown = backend.get(f"/v1/notifications/{answer.json['id']}").json["message"]["link"]
        assert urlsplit(shown).netloc.isascii()
        assert shown.lower().startswith("https://")


def test_one_user_in_two_spellings_is_one_user(backend, device_of, database):
    assert backend.put(f"/v1/users/{quote(DECOMPOSED)}", {}).status_code == 201
    assert backend.put(f"/v1/users/{quote(COMPOSED)}", {}).status_code == 200
    backend.put(f"/v1/groups/{quote(DECOMPOSED)}", {"members": [DECOMPOSED, COMPOSED]})
    assert backend.get(f"/v1/groups/{quote(COMPOSED)}").json["members"] == [COMPOSED]
    phone = device_of(DECOMPOSED)
    phone.put(f"/v1/me/devices/{quote(DECOMPOSED)}", {"platform": "ios", "token": "t"})
    phone.delete(f"/v1/me/subscriptions/groups/{quote(DECOMPOSED)}")
    assert device_of(COMPOSED).get("/v1/me/subscriptions").json["muted"][Mutable.GROUPS] == [COMPOSED]
    assert device_of(COMPOSED).delete(f"/v1/me/devices/{quote(COMPOSED)}").status_code == 204
    assert database["users"].distinct("_id") == [COMPOSED]


class Tags(HTMLParser):
    """The tags of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, list[tuple[str, str | None]]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, attrs))


@pytest.mark.parametrize("where", ["query", "host", "path", "referer"])
def test_markup_in_a_request_is_not_part_of_the_documentation(app, where):
    browser = app.test_client()
    plain = Tags(browser.get("/docs/").text).found
    asked = {
        "query": lambda: browser.get(f"/docs/?url={quote(MARKUP)}&configUrl={quote(MARKUP)}"),
        "host": lambda: browser.get("/docs/", headers={"Host": f"a{MARKUP}"}),
        "path": lambda: browser.get(f"/docs/{quote(MARKUP)}"),
        "referer": lambda: browser.get("/docs/", headers={"Referer": MARKUP, "X-Forwarded-Prefix": MARKUP}),
    }[where]()
    if asked.mimetype == "text/html":
        assert Tags(asked.text).found == plain
    else:
        assert asked.mimetype == "application/problem+json"
        assert asked.headers["X-Content-Type-Options"] == "nosniff"


def test_markup_in_a_message_is_kept_as_text_and_never_sent_as_a_page(backend, notify, device_of):
    identity = notify("u1", message={"title": MARKUP, "body": MARKUP})
    for answer in (
        backend.get(f"/v1/notifications/{identity}"),
        device_of("u1").get(f"/v1/me/notifications/{identity}"),
        backend.get(f"/v1/users/{quote(MARKUP, safe='')}"),
        device_of(MARKUP.replace("/", "")).delete(f"/v1/me/devices/{quote(MARKUP.replace('/', ''))}"),
    ):
        assert answer.mimetype in {"application/json", "application/problem+json"}
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
