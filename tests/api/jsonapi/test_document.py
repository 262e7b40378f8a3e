from urllib.parse import quote

import pytest

from notify_server.domain.notification import Message
from tests.api.jsonapi.rules import violations
from tests.api.jsonapi.speaker import ALL, MEDIA_TYPE, MINE, Speaker, change, ids, one


def test_a_notification_has_what_open_event_servers_clients_expect(phone, enter):
    made = enter(message=Message("Accepted", "Come and see", link="https://x.example/accept"))
    assert phone.get(one(made)).json == {
        "jsonapi": {"version": "1.1"},
        "links": {"self": f"/jsonapi/notifications/{made}"},
        "data": {
            "type": "notification",
            "id": made,
            "attributes": {
                "title": "Accepted",
                "message": "Come and see",
                "received-at": "2026-11-20T12:00:00Z",
                "accept": "https://x.example/accept",
                "is-read": False,
            },
            "relationships": {
                "user": {
                    "links": {
                        "self": f"/jsonapi/notifications/{made}/relationships/user",
                        "related": f"/jsonapi/notifications/{made}/user",
                    },
                    "data": {"type": "user", "id": "u1"},
                }
            },
            "links": {"self": f"/jsonapi/notifications/{made}"},
        },
    }


def test_what_a_message_lacks_is_null(phone, enter):
    made = enter(message=Message(data={"k": "v"}))
    attributes = phone.get(one(made)).json["data"]["attributes"]
    assert (attributes["title"], attributes["message"], attributes["accept"]) == (None, None, None)


def test_a_list_holds_the_same_resources_as_their_own_links_lead_to(phone, server, enter):
    made = [enter(second=second) for second in range(3)]
    for speaker, path in ((phone, MINE), (server, MINE), (server, ALL)):
        listed = speaker.get(path).json["data"]
        assert [resource["id"] for resource in listed] == made[::-1]
        assert listed == [speaker.get(resource["links"]["self"]).json["data"] for resource in listed]


def test_related_links_lead_to_the_user(phone, server, backend, enter):
    backend.put("/v1/users/u1", {"email": "a@example.org", "locale": "de", "community": "school"})
    links = phone.get(one(enter())).json["data"]["relationships"]["user"]["links"]
    for speaker in (phone, server):
        found = speaker.get(links["related"]).json["data"]
        assert (found["type"], found["id"]) == ("user", "u1")
        assert found["attributes"].pop("created-at").endswith("Z")
        assert found["attributes"] == {
            "email": "a@example.org",
            "locale": "de",
            "community": "school",
            "timezone": None,
        }


def test_a_relationships_own_link_gives_its_linkage(phone, enter):
    relationship = phone.get(one(enter())).json["data"]["relationships"]["user"]
    found = phone.get(relationship["links"]["self"]).json
    assert (found["data"], found["links"]) == (relationship["data"], relationship["links"])
    assert "included" not in found


def test_the_user_of_an_entry_who_is_gone_is_null(server, enter):
    assert server.get(f"{one(enter())}/user").json["data"] is None


@pytest.mark.parametrize("user", ["a:b", "ü ñ", "50%", "a?b#c", "~&=+", "%2e"])
def test_every_user_id_makes_an_id_whose_links_lead_back(server, device_of, enter, user):
    made = enter(user)
    [resource] = server.get(ALL).json["data"]
    assert resource["id"] == made
    for speaker in (server, Speaker(device_of(user))):
        assert speaker.get(resource["links"]["self"]).json["data"]["id"] == made
        linked = resource["relationships"]["user"]["links"]["self"]
        assert speaker.get(linked).json["data"] == {"type": "user", "id": user}
        assert ids(speaker.get(f"/jsonapi/users/{quote(user)}/notifications")) == [made]


def test_head_answers_like_get_without_a_body(app, phone, enter):
    enter()
    head = app.test_client().head(MINE, headers=phone._caller._headers)
    assert (head.status_code, head.data, head.content_type) == (200, b"", MEDIA_TYPE)


def test_only_the_fields_that_are_asked_for_are_shown(phone, enter):
    made = enter()
    shown = phone.get(f"{one(made)}?fields[notification]=title,is-read").json["data"]
    assert shown["attributes"] == {"title": "T", "is-read": False}
    assert shown.keys() == {"type", "id", "attributes", "links"}
    shown = phone.get(f"{one(made)}?fields[notification]=user").json["data"]
    assert shown.keys() == {"type", "id", "relationships", "links"}
    [bare] = phone.get(f"{MINE}?fields[notification]=").json["data"]
    assert bare.keys() == {"type", "id", "links"}


def test_users_are_included_once_each(server, backend, enter):
    for user in ("u1", "u2"):
        backend.put(f"/v1/users/{user}", {"locale": "de"})
    for _ in range(2):
        enter("u1", "u2")
    included = server.get(f"{ALL}?include=user&fields[user]=locale").json["included"]
    assert sorted(included, key=lambda user: user["id"]) == [
        {"type": "user", "id": user, "attributes": {"locale": "de"}} for user in ("u1", "u2")
    ]


def test_a_user_includes_themselves_everywhere(phone, backend, enter):
    backend.put("/v1/users/u1", {"locale": "de"})
    made = enter()
    for path in (MINE, one(made), f"{one(made)}/relationships/user"):
        assert [user["id"] for user in phone.get(f"{path}?include=user").json["included"]] == ["u1"]
    assert phone.get(f"{one(made)}?include=").json["included"] == []
    marked = phone.patch(f"{one(made)}?include=user", change(made, {"is-read": True}))
    assert [user["id"] for user in marked.json["included"]] == ["u1"]


USER = {"type": "user", "id": "u"}
GOOD = {
    "jsonapi": {"version": "1.1"},
    "links": {"self": "/a?b%5Bc%5D=1"},
    "data": {
        "type": "notification",
        "id": "1",
        "attributes": {"is-read": True},
        "relationships": {"user": {"links": {"self": "/a", "related": "/b"}, "data": USER}},
    },
    "included": [USER | {"attributes": {"locale": "de"}}],
}


def test_the_rules_let_a_good_document_pass():
    assert violations(GOOD) == []
    assert violations({"errors": [{"status": "404", "source": {"pointer": "/a~1b"}}]}) == []
    assert violations({"data": None}) == violations({"data": []}) == violations({"meta": {}}) == []


@pytest.mark.parametrize(
    "bad",
    [
        [],
        {},
        {"links": {}},
        {"included": [], "meta": {}},
        GOOD | {"errors": [{"status": "400"}]},
        GOOD | {"more": 1},
        GOOD | {"jsonapi": {"version": "1.0"}},
        GOOD | {"links": {"next": "/b"}},
        GOOD | {"links": {"self": "/a?b[c]=1"}},
        GOOD | {"included": [USER | {"id": "v"}]},
        GOOD | {"included": GOOD["included"] * 2},
        GOOD | {"data": {"type": "notification", "id": 1}},
        GOOD | {"data": {"id": "1"}},
        GOOD | {"data": "x"},
        GOOD | {"data": GOOD["data"] | {"title": "t"}},
        GOOD | {"data": GOOD["data"] | {"attributes": {"id": 1}}},
        GOOD | {"data": GOOD["data"] | {"attributes": {"user": 1}}},
        GOOD | {"data": GOOD["data"] | {"attributes": {"a.b": 1}}},
        GOOD | {"data": GOOD["data"] | {"relationships": {"user": {}}}},
        GOOD | {"data": GOOD["data"] | {"relationships": {"user": {"links": {}}}}},
        GOOD | {"data": GOOD["data"] | {"relationships": {"user": {"data": {"type": "user"}}}}},
        {"errors": []},
        {"errors": [{}]},
        {"errors": [{"status": 400}]},
        {"errors": [{"message": "x"}]},
        {"errors": [{"status": "400", "source": {"pointer": "data"}}]},
        {"errors": [{"status": "400", "source": {"path": "/data"}}]},
    ],
)
def test_the_rules_let_no_other_pass(bad):
    assert violations(bad) != []
