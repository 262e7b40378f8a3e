import pytest

from notify_server.services.server_tokens import Scope
from tests.api.caller import refused

PATH = "/v1/actions/ticket_purchased"
ACTION = {"template": "ticket", "channels": ["realtime", "push"], "category": "tickets"}
SENT = {"action": "ticket_purchased", "users": ["u1"]}


@pytest.fixture(autouse=True)
def template(backend):
    backend.put("/v1/templates/ticket", {"category": "of-template", "locales": {"en": {"title": "T"}}})


def test_an_action_is_made_replaced_shown_and_listed(backend):
    made = backend.put(PATH, ACTION)
    assert made.status_code == 201
    switches = {"notification_enabled": True, "mail_enabled": True, "mandatory": False}
    expected = ACTION | switches | {"name": "ticket_purchased", "pack": None}
    assert made.json == expected | {"updated_at": made.json["updated_at"]}
    assert backend.get(PATH).json == made.json
    changed = backend.put(PATH, {"template": "ticket", "mail_enabled": False})
    assert (changed.status_code, changed.json["channels"], changed.json["mail_enabled"]) == (200, ["push"], False)
    assert backend.get("/v1/actions").json == {"actions": [changed.json], "next": None}


def test_actions_are_listed_by_name_in_pages(backend):
    for name in ("b", "a", "c"):
        backend.put(f"/v1/actions/{name}", ACTION)
    first = backend.get("/v1/actions?limit=2").json
    assert [each["name"] for each in first["actions"]] == ["a", "b"]
    assert [each["name"] for each in backend.get(f"/v1/actions?cursor={first['next']}").json["actions"]] == ["c"]


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["template"]),
        ({"template": "none"}, ["template"]),
        (ACTION | {"channels": []}, ["channels"]),
        (ACTION | {"channels": ["fax"]}, ["channels.0"]),
        (ACTION | {"mail_enabled": "yes"}, ["mail_enabled"]),
        (ACTION | {"mandatory": None}, ["mandatory"]),
        (ACTION | {"colour": 1}, ["colour"]),
    ],
)
def test_what_is_wrong_is_refused_by_name(backend, stored, body, fields):
    refused(backend.put(PATH, body), 422, *fields)
    assert stored().get("actions", []) == []


def test_an_unknown_one_is_not_found_and_a_name_is_plain(backend):
    refused(backend.get(PATH), 404)
    refused(backend.get("/v1/actions/a%20b"), 422, "action_name")
    refused(backend.post("/v1/notifications", SENT), 422, "action")


def test_only_an_admin_changes_and_the_log_says_so(caller, services, backend):
    reader = caller(services.server_tokens.create("reader", [Scope.READ]))
    refused(reader.put(PATH, ACTION), 403)
    backend.put(PATH, ACTION)
    assert reader.get(PATH).status_code == 200
    [line] = backend.get("/v1/audit?object=ticket_purchased").json["lines"]
    assert (line["action"], line["object"]["kind"], line["status"]) == ("actions.put", "action", 201)


def sent(backend, **fields):
    answer = backend.post("/v1/notifications", SENT | fields)
    assert answer.status_code == 202, answer.text
    return backend.get(f"/v1/notifications/{answer.json['id']}").json


def test_a_notification_by_action_has_its_template_channels_and_category(backend):
    backend.put(PATH, ACTION)
    shown = sent(backend)
    assert (shown["action"], shown["texts"]["template"], shown["category"]) == ("ticket_purchased", "ticket", "tickets")
    assert shown["channels"] == ["realtime", "push"]
    assert sent(backend, channels=["push"], category="mine")["category"] == "mine"


def test_an_action_that_waits_has_both_channels(backend):
    backend.put(PATH, ACTION)
    assert sent(backend, push_after=5)["push_after"] == 5
    refused(backend.post("/v1/notifications", SENT | {"push_after": 5, "channels": ["push"]}), 422, "push_after")


@pytest.mark.parametrize(
    ("own", "status"), [({}, "pending"), ({"mandatory": None}, "pending"), ({"mandatory": False}, "suppressed")]
)
def test_a_mandatory_action_is_sent_to_those_who_have_muted_it_unless_the_payload_says_no(
    backend, device_of, expand, own, status
):
    backend.put(PATH, ACTION | {"mandatory": True})
    backend.put("/v1/users/u1", {})
    assert device_of("u1").delete("/v1/me/subscriptions/categories/tickets").status_code == 204
    shown = sent(backend, **own)
    assert shown["mandatory"] is (status == "pending")
    expand()
    [entry] = backend.get(f"/v1/notifications/{shown['id']}/registry").json["entries"]
    assert entry["status"] == status


def test_a_switched_off_action_is_accepted_and_its_entries_say_why_nobody_got_it(backend, device_of, expand):
    backend.put(PATH, ACTION | {"notification_enabled": False})
    shown = sent(backend, mandatory=True, push_after=5)
    assert (shown["disabled"], shown["channels"], shown["push_after"]) == (True, ["realtime", "push"], 5)
    expand()
    [entry] = backend.get(f"/v1/notifications/{shown['id']}/registry").json["entries"]
    assert (entry["status"], entry["reason"], entry["attempts"]) == ("suppressed", "action_disabled", 0)
    assert device_of("u1").get("/v1/me/notifications").json["notifications"] == []
