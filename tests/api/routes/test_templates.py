import pytest

from notify_server.services.server_tokens import Scope
from tests.api.caller import refused

PATH = "/v1/templates/ticket"
TEMPLATE = {
    "category": "tickets",
    "variables": {
        "event": {"type": "string", "example": "Summer"},
        "url": {"type": "url", "example": "https://example.org/1"},
        "seat": {"type": "string", "required": False},
    },
    "locales": {
        "en": {
            "title": "Ticket for {{ event }}",
            "body": "Seat {{ seat }}",
            "subject": "S",
            "html": "<p>{{ event }}</p>",
            "text": "T",
        },
        "de_AT": {
            "title": "Karte für {{ event }}",
            "body": "Platz {{ seat }}",
            "subject": "S",
            "html": "<p>{{ event }}</p>",
            "text": "T",
        },
    },
    "link": "{{ url }}",
    "data": {"event": "{{ event }}"},
}
GIVEN = {"event": "<Fair>", "url": "https://example.org/2", "seat": "B7"}


def with_title(title, **locales):
    return {"locales": {"en": {"title": title}, **locales}}


def test_a_template_is_made_and_shown_as_it_was_written(backend):
    made = backend.put(PATH, TEMPLATE)
    assert made.status_code == 201
    assert made.json == backend.get(PATH).json
    shown = made.json
    assert (shown["name"], shown["version"], shown["default_locale"], shown["pack"]) == ("ticket", 1, "en", None)
    assert shown["locales"].keys() == {"en", "de-AT"}
    assert shown["locales"]["en"] == TEMPLATE["locales"]["en"]
    assert shown["variables"]["seat"] == {"type": "string", "required": False, "example": None}
    assert (shown["link"], shown["image"], shown["data"]) == ("{{ url }}", None, TEMPLATE["data"])


def test_each_put_makes_a_version_and_none_is_lost(backend):
    for number in range(1, 4):
        answer = backend.put(PATH, with_title(f"T{number}"))
        assert (answer.status_code, answer.json["version"]) == (201 if number == 1 else 200, number)
    first = backend.get(f"{PATH}/versions?limit=2").json
    assert [each["version"] for each in first["templates"]] == [3, 2]
    rest = backend.get(f"{PATH}/versions?cursor={first['next']}").json
    assert ([each["version"] for each in rest["templates"]], rest["next"]) == ([1], None)
    assert backend.get(f"{PATH}/versions/1").json["locales"]["en"]["title"] == "T1"


def test_templates_are_listed_by_name_in_pages(backend):
    for name in ("b", "a", "c"):
        backend.put(f"/v1/templates/{name}", with_title("T"))
    first = backend.get("/v1/templates?limit=2").json
    assert [each["name"] for each in first["templates"]] == ["a", "b"]
    rest = backend.get(f"/v1/templates?cursor={first['next']}").json
    assert [each["name"] for each in rest["templates"]] == ["c"]


@pytest.mark.parametrize(
    "path", [PATH, f"{PATH}/versions", f"{PATH}/versions/1", f"{PATH}/versions/x", f"{PATH}/versions/0"]
)
def test_what_is_not_there_is_not_found(backend, path):
    refused(backend.get(path), 404)


def test_no_version_of_one_that_is_there(backend):
    backend.put(PATH, with_title("T"))
    for version in ("2", "-1", "١", "1e3", "9" * 30):
        refused(backend.get(f"{PATH}/versions/{version}"), 404)
    refused(backend.get(f"{PATH}/versions?cursor=YQ"), 422, "cursor")


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["locales"]),
        ({"locales": {}}, ["locales"]),
        (with_title("T", xx_={"title": "T"}), ["locales.xx_.key"]),
        ({"locales": {"de": {"title": "T"}, "fr": {"title": "T"}}}, ["default_locale"]),
        (with_title("T") | {"default_locale": "fr"}, ["default_locale"]),
        (with_title("T", EN={"title": "T"}), ["locales.en"]),
        (with_title("{{ x }}"), ["locales.en.title"]),
        (with_title("{% for %}", de={"title": "{{"}), ["locales.de.title", "locales.en.title"]),
        (with_title("T", de={"title": "T", "body": "B"}), ["locales.de.body"]),
        (with_title("T") | {"variables": {"Name": {}}}, ["variables.Name.key"]),
        (with_title("T") | {"variables": {"user": {}}}, ["variables.user.key"]),
        (with_title("T") | {"variables": {"a": {"type": "text"}}}, ["variables.a.value.type"]),
        (with_title("T") | {"variables": {"a": {"type": "integer", "example": "1"}}}, ["variables.a.example"]),
        (with_title("T") | {"data": {"link": "x"}}, ["data.link"]),
        (with_title("T") | {"colour": "red"}, ["colour"]),
        ({"locales": {"en": {"title": "T", "name": "x"}}}, ["locales.en.value.name"]),
    ],
)
def test_what_is_wrong_is_refused_by_name_and_nothing_is_stored(backend, stored, body, fields):
    refused(backend.put(PATH, body), 422, *fields)
    assert stored().get("templates", []) == []


def test_a_syntax_error_names_its_line(backend):
    answer = backend.put(PATH, {"locales": {"en": {"title": "T", "body": "fine\n{% if %}"}}})
    assert answer.json["errors"]["locales.en.body"][0].startswith("Line 2: ")


@pytest.mark.parametrize("name", ["a%20b", "-a", "a" * 65, "ä"])
def test_a_name_is_plain(backend, name):
    refused(backend.put(f"/v1/templates/{name}", with_title("T")), 422, "template_name")


def test_a_preview_shows_what_a_reader_gets(backend):
    backend.put(PATH, TEMPLATE)
    assert backend.post(f"{PATH}/preview", {"locale": "de-AT-x-y", "variables": GIVEN}).json == {
        "name": "ticket",
        "version": 1,
        "locale": "de-AT",
        "title": "Karte für <Fair>",
        "body": "Platz B7",
        "image": None,
        "link": "https://example.org/2",
        "data": {"event": "<Fair>"},
        "subject": "S",
        "html": "<p>&lt;Fair&gt;</p>",
        "text": "T",
    }


def test_a_preview_without_a_body_shows_the_examples_in_the_default_locale(backend):
    backend.put(PATH, TEMPLATE)
    shown = backend.post(f"{PATH}/preview").json
    assert (shown["locale"], shown["title"], shown["body"]) == ("en", "Ticket for Summer", "Seat")


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"variables": {}}, ["variables.event", "variables.url"]),
        ({"variables": GIVEN | {"url": "javascript:alert(1)"}}, ["variables.url"]),
        ({"variables": GIVEN | {"event": "x" * 2000}}, ["locales.en.title"]),
        ({"locale": "d"}, ["locale"]),
    ],
)
def test_a_preview_refuses_by_name(backend, body, fields):
    backend.put(PATH, TEMPLATE)
    refused(backend.post(f"{PATH}/preview", body), 422, *fields)


def test_only_an_admin_writes_and_a_reader_reads(caller, services, backend):
    backend.put(PATH, TEMPLATE)
    reader = caller(services.server_tokens.create("reader", [Scope.READ]))
    sender = caller(services.server_tokens.create("sender", [Scope.SEND]))
    refused(reader.put(PATH, TEMPLATE), 403)
    refused(sender.get(PATH), 403)
    assert reader.get(PATH).status_code == reader.post(f"{PATH}/preview").status_code == 200


def test_a_change_is_a_line_of_the_audit_log_and_a_preview_is_none(backend):
    backend.put(PATH, TEMPLATE)
    backend.post(f"{PATH}/preview")
    [line] = backend.get("/v1/audit?object=ticket").json["lines"]
    assert (line["action"], line["object"]["kind"], line["status"]) == ("templates.put", "template", 201)
    assert line["fields"] == sorted(TEMPLATE)


def test_a_notification_from_a_template_shows_what_it_says(backend):
    backend.put(PATH, TEMPLATE)
    sent = {"template": "ticket", "variables": GIVEN, "users": ["u1"]}
    answer = backend.post("/v1/notifications", sent)
    assert answer.status_code == 202
    shown = backend.get(f"/v1/notifications/{answer.json['id']}").json
    assert shown["message"] == {
        "title": "Ticket for <Fair>",
        "body": "Seat B7",
        "image": None,
        "link": "https://example.org/2",
        "data": {"event": "<Fair>"},
    }
    assert shown["texts"] == {
        "template": "ticket",
        "version": 1,
        "default": "en",
        "locales": {
            "en": {"title": "Ticket for <Fair>", "body": "Seat B7"},
            "de-AT": {"title": "Karte für <Fair>", "body": "Platz B7"},
        },
    }
    assert (shown["category"], shown["action"], shown["disabled"]) == ("tickets", None, False)


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"template": "none", "variables": GIVEN}, "template"),
        ({"template": "ticket"}, "variables.event"),
        ({"template": "ticket", "variables": GIVEN | {"nmae": 1}}, "variables.nmae"),
        ({"template": "ticket", "variables": GIVEN | {"event": 7}}, "variables.event"),
        ({"template": "ticket", "variables": GIVEN, "message": {"title": "T"}}, "template"),
        ({"template": "ticket", "action": "x"}, "action"),
        ({"message": {"title": "T"}, "variables": {"a": 1}}, "variables"),
        ({"variables": {}}, "message"),
        ({"template": "ticket", "variables": []}, "variables"),
        ({"template": "no name"}, "template"),
        ({"template": None, "variables": GIVEN}, "template"),
        ({"template": "ticket", "variables": GIVEN, "push_after": 5}, "push_after"),
    ],
)
def test_a_notification_names_one_thing_and_gives_its_variables(backend, stored, fields, path):
    backend.put(PATH, TEMPLATE)
    before = stored()
    answer = backend.post("/v1/notifications", fields | {"users": ["u1"]})
    assert answer.status_code == 422
    assert path in answer.json["errors"]
    assert stored() == before


def test_what_fcm_takes_is_asked_for_every_locale_and_the_longest_user(backend):
    locales = {"en": {"title": "T", "body": "b"}, "de": {"title": "T", "body": "ä" * 2040}}
    variables = {"x": {"type": "string", "required": False}}
    backend.put(PATH, {"locales": locales, "variables": variables})
    refused(backend.post("/v1/notifications", {"template": "ticket", "users": ["u"]}), 422, "template")
    shorter = {"locales": {"en": {"title": "T", "body": "b"}, "de": {"title": "T", "body": "ä" * 1750}}}
    backend.put(PATH, shorter)
    assert backend.post("/v1/notifications", {"template": "ticket", "users": ["u"]}).status_code == 202
    own = {"locales": {"en": {"title": "T", "body": "ä" * 1750 + "{{ user.id }}"}}}
    backend.put(PATH, own)
    refused(backend.post("/v1/notifications", {"template": "ticket", "users": ["u"]}), 422, "template")


def test_a_repeated_request_is_the_same_notification_whatever_became_of_the_template(backend):
    backend.put(PATH, with_title("Hello"))
    sent = {"template": "ticket", "users": ["u"]}
    headers = {"Idempotency-Key": "k"}
    first = backend.post("/v1/notifications", sent, headers=headers).json
    backend.put(PATH, with_title("{{ name }}") | {"variables": {"name": {}}})
    assert backend.post("/v1/notifications", sent, headers=headers).json == first
    refused(backend.post("/v1/notifications", sent | {"variables": {"name": "x"}}, headers=headers), 409)
    refused(backend.post("/v1/notifications", sent | {"variables": {"nmae": "x"}}, headers=headers), 409)
    refused(backend.post("/v1/notifications", sent, headers={"Idempotency-Key": "other"}), 422, "variables.name")


def test_the_inbox_speaks_the_users_language(backend, device_of, expand):
    backend.put(PATH, TEMPLATE)
    backend.put("/v1/users/u1", {"locale": "de-AT"})
    backend.post("/v1/notifications", {"template": "ticket", "variables": GIVEN, "users": ["u1", "u2"]})
    expand()
    assert [item["title"] for item in device_of("u1").get("/v1/me/notifications").json["notifications"]] == [
        "Karte für <Fair>"
    ]
    [item] = device_of("u2").get("/v1/me/notifications").json["notifications"]
    assert (item["title"], item["link"], item["category"]) == ("Ticket for <Fair>", "https://example.org/2", "tickets")
    shown = device_of("u1").get(f"/v1/me/notifications/{item['id']}").json
    assert shown["title"] == "Karte für <Fair>"
    listed = backend.get("/jsonapi/notifications").json["data"]
    assert sorted(each["attributes"]["title"] for each in listed) == ["Karte für <Fair>", "Ticket for <Fair>"]
