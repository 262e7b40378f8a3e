import pytest

from tests.api.caller import refused

DEVICE = {"platform": "ios", "token": "t"}


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, ["platform"]),
        ({"platform": "ios"}, ["token"]),
        (DEVICE | {"fid": "f"}, ["token"]),
        (DEVICE | {"platform": "fridge"}, ["platform"]),
        (DEVICE | {"platform": None}, ["platform"]),
        (DEVICE | {"token": ""}, ["token"]),
        (DEVICE | {"token": None}, ["token"]),
        (DEVICE | {"token": 7}, ["token"]),
        (DEVICE | {"token": "t" * 4097}, ["token"]),
        (DEVICE | {"token": "t\0"}, ["token"]),
        *((DEVICE | {"token": token}, ["token"]) for token in ("t\n", "t\r\nX: y", "\x7f", "tökén", "\u202e", "t\t")),
        ({"platform": "ios", "fid": "f\u200b"}, ["fid"]),
        (DEVICE | {"app_version": "v" * 65}, ["app_version"]),
        (DEVICE | {"app_version": "1.0\u202e"}, ["app_version"]),
        (DEVICE | {"app_version": "1.0\n"}, ["app_version"]),
        (DEVICE | {"locale": "?"}, ["locale"]),
        (DEVICE | {"user": "u2"}, ["user"]),
        (DEVICE | {"active": False, "id": "d2"}, ["active", "id"]),
    ],
)
def test_a_bad_registration_is_refused_with_its_fields_named_and_nothing_is_stored(device_of, stored, body, named):
    phone, before = device_of("u1"), stored()
    refused(phone.put("/v1/me/devices/d1", body), 422, *named)
    assert stored() == before
