import pytest

from tests.api.caller import refused


@pytest.mark.parametrize(
    ("profile", "named"),
    [
        ({"community": 1}, ["community"]),
        ({"community": ""}, ["community"]),
        ({"community": "a/b"}, ["community"]),
        ({"groups": None}, ["groups"]),
        ({"groups": "g"}, ["groups"]),
        ({"groups": ["g", 1, "a\nb"]}, ["groups.1", "groups.2"]),
        ({"groups": ["g"] * 10_001}, ["groups"]),
        ({"email": "nobody"}, ["email"]),
        ({"email": "a@b.c\0"}, ["email"]),
        ({"email": "a" * 250 + "@example.org"}, ["email"]),
        ({"locale": "german please"}, ["locale"]),
        ({"locale": "de-" * 12 + "AT"}, ["locale"]),
        *(
            ({"timezone": name}, ["timezone"])
            for name in ("", "Europe/\u202eanneiV\x07", "Europe/Atlantis", "europe/vienna", "../UTC", "UTC\n", "Z" * 65)
        ),
        ({"id": "u2"}, ["id"]),
        ({"created_at": "2026-01-01T00:00:00Z", "name": "Ada"}, ["created_at", "name"]),
    ],
)
def test_a_bad_profile_is_refused_with_its_fields_named_and_nothing_is_stored(backend, stored, profile, named):
    before = stored()
    refused(backend.put("/v1/users/u1", profile), 422, *named)
    assert stored() == before


@pytest.mark.parametrize(
    "name", ["Europe/Vienna", "UTC", "America/Argentina/Buenos_Aires", "Asia/Calcutta", "Etc/GMT+5"]
)
def test_names_of_time_zones_are_taken(backend, name):
    assert backend.put("/v1/users/u1", {"timezone": name}).json["timezone"] == name


@pytest.mark.parametrize("locale", ["de", "de-AT", "zh-Hant-TW", "en_US", "sr-Latn-RS-ekavsk"])
def test_language_tags_are_taken(backend, locale):
    assert backend.put("/v1/users/u1", {"locale": locale}).json["locale"] == locale


@pytest.mark.parametrize(
    ("route", "body", "named"),
    [
        ("PUT /v1/groups/g", {"members": [1]}, ["members.0"]),
        ("PUT /v1/groups/g", {"members": "u"}, ["members"]),
        ("PUT /v1/groups/g", {"members": ["u"] * 100_001}, ["members"]),
        ("PUT /v1/groups/g", {"community": [], "name": "x"}, ["community", "name"]),
        ("POST /v1/groups/g/members", {"add": ["a/b"], "remove": [None]}, ["add.0", "remove.0"]),
        ("POST /v1/groups/g/members", {"add": None}, ["add"]),
        ("POST /v1/groups/g/members", {"members": ["u"]}, ["members"]),
    ],
)
def test_a_bad_group_is_refused_with_its_fields_named_and_nothing_is_stored(backend, stored, route, body, named):
    before = stored()
    refused(backend(*route.split(), json=body), 422, *named)
    assert stored() == before
