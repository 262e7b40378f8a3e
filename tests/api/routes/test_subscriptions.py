import pytest

from notify_server.services.subscriptions import MOST
from tests.api.caller import refused

PATH = "/v1/me/subscriptions"


@pytest.fixture
def phone(device_of):
    return device_of("u1")


def muted(phone):
    return phone.get(PATH).json["muted"]


@pytest.mark.parametrize("kind", ["groups", "categories"])
def test_unsubscribing_and_subscribing_again_can_be_repeated(phone, kind):
    for name in ("b", "a b", "ü", "b"):
        assert phone.delete(f"{PATH}/{kind}/{name}").status_code == 204
    assert muted(phone) == {"groups": [], "categories": [], kind: ["a b", "b", "ü"]}
    for name in ("b", "b", "never"):
        assert phone("PUT", f"{PATH}/{kind}/{name}").status_code == 204
    assert muted(phone)[kind] == ["a b", "ü"]


def test_everything_is_subscribed_to_at_first(phone):
    assert muted(phone) == {"groups": [], "categories": []}


def test_a_user_mutes_for_nobody_else(phone, device_of):
    phone.delete(f"{PATH}/groups/choir")
    assert muted(device_of("u2")) == {"groups": [], "categories": []}


def test_what_can_be_no_name_is_refused(phone, stored):
    before = stored()
    for method in ("DELETE", "PUT"):
        refused(phone(method, f"{PATH}/groups/{'x' * 129}"), 422, "group_id")
        refused(phone(method, f"{PATH}/categories/{'x' * 129}"), 422, "category_id")
    refused(phone("PUT", f"{PATH}/groups/g", json={"until": "tomorrow"}), 422, "until")
    assert stored() == before


def test_there_is_an_end_to_what_can_be_muted(phone, database):
    phone.delete(f"{PATH}/groups/g0")
    full = [f"g{number}" for number in range(MOST)]
    database["users"].update_one({"_id": "u1"}, {"$set": {"muted.groups": full}})
    refused(phone.delete(f"{PATH}/groups/one-more"), 409)
    assert phone.delete(f"{PATH}/groups/g7").status_code == 204


def test_what_is_under_way_is_muted_with_its_reason(phone, backend, notify, database):
    made = notify("u1", category="news")
    database["registry"].update_many({}, {"$set": {"category": "news"}})
    phone.delete(f"{PATH}/categories/news")
    [entry] = backend.get(f"/v1/notifications/{made}/registry").json["entries"]
    assert (entry["status"], entry["reason"]) == ("suppressed", "muted_category")
    assert phone.get("/v1/me/notifications").json["notifications"] == []


def test_a_notification_is_shown_to_be_mandatory(backend, phone, notify):
    made, plain = notify("u1", mandatory=True), notify("u1")
    assert backend.get(f"/v1/notifications/{made}").json["mandatory"] is True
    assert backend.get(f"/v1/notifications/{plain}").json["mandatory"] is False
    refused(
        backend.post("/v1/notifications", {"message": {"title": "t"}, "users": ["u1"], "mandatory": 1}),
        422,
        "mandatory",
    )
