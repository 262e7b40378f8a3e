import pytest

from notify_server.api.jsonapi.negotiation import is_plain
from tests.api.jsonapi.speaker import MEDIA_TYPE, change, faulty

PATH = "/jsonapi/users/u1/notifications"
PROFILE = f'{MEDIA_TYPE}; profile="https://example.org/p https://example.org/q"'
EXTENDED = f'{MEDIA_TYPE}; ext="https://example.org/ext"'


@pytest.mark.parametrize(
    ("media_type", "plain"),
    [
        (MEDIA_TYPE, True),
        (MEDIA_TYPE.upper(), True),
        (PROFILE, True),
        (f'{MEDIA_TYPE}; ext=""', True),
        (EXTENDED, False),
        (f"{MEDIA_TYPE}; charset=utf-8", False),
        (f"{MEDIA_TYPE}; version=1.1", False),
        (f'{PROFILE}; ext="https://example.org/ext"', False),
        ("application/json", False),
        ("application/vnd.api", False),
        ("", False),
    ],
)
def test_a_media_type_is_plain_with_profiles_alone(media_type, plain):
    assert is_plain(media_type) is plain


@pytest.mark.parametrize(
    "accept",
    [
        MEDIA_TYPE,
        f"{MEDIA_TYPE};q=0.5",
        PROFILE,
        f"{MEDIA_TYPE}; charset=utf-8, {MEDIA_TYPE}",
        f"{EXTENDED}, {MEDIA_TYPE}",
        "*/*",
        "application/*",
        "application/json",
        "text/html, */*;q=0.8",
        "",
    ],
)
def test_who_takes_the_media_type_as_it_is_or_does_not_name_it_gets_it(phone, accept):
    assert phone.get(PATH, headers={"Accept": accept}).status_code == 200


@pytest.mark.parametrize(
    "accept",
    [
        f"{MEDIA_TYPE}; charset=utf-8",
        f"{MEDIA_TYPE}; version=1.0;q=0.9",
        EXTENDED,
        f"{EXTENDED}, {MEDIA_TYPE}; charset=utf-8",
        f"{MEDIA_TYPE}; charset=utf-8, */*",
    ],
)
def test_who_names_the_media_type_with_other_parameters_alone_gets_406(phone, accept):
    faulty(phone.get(PATH, headers={"Accept": accept}), 406)


@pytest.mark.parametrize(
    "sent", ["application/json", "text/plain", "", f"{MEDIA_TYPE}; charset=utf-8", EXTENDED, "multipart/form-data"]
)
def test_a_body_of_another_media_type_gets_415_and_changes_nothing(phone, notify, stored, sent):
    identity = notify("u1")
    before = stored()
    path = f"/jsonapi/notifications/{identity}"
    answer = phone.patch(path, change(identity, {"is-read": True}), content_type=sent)
    [error] = faulty(answer, 415)
    assert MEDIA_TYPE in error["detail"]
    assert stored() == before


def test_a_body_with_a_profile_is_taken(phone, notify):
    identity = notify("u1")
    document = change(identity, {"is-read": True})
    assert phone.patch(f"/jsonapi/notifications/{identity}", document, content_type=PROFILE).status_code == 200


def test_the_content_type_of_a_request_without_a_body_must_be_plain_too(phone):
    faulty(phone.get(PATH, headers={"Content-Type": f"{MEDIA_TYPE}; charset=utf-8"}), 415)
    assert phone.get(PATH, headers={"Content-Type": MEDIA_TYPE}).status_code == 200
    assert phone.get(PATH, headers={"Content-Type": "text/plain"}).status_code == 200


def test_other_routes_do_not_negotiate(device_of):
    headers = {"Accept": f"{MEDIA_TYPE}; charset=utf-8"}
    assert device_of("u1").get("/v1/me/notifications", headers=headers).status_code == 200
