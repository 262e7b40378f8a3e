from datetime import UTC, datetime, timedelta

import pytest

from notify_server.domain.device import Target, TargetType
from notify_server.domain.registry import Event, Note, Reason
from notify_server.services.reception import UNKNOWN
from notify_server.storage.devices import Devices
from notify_server.storage.registry import Registry
from tests.api.caller import refused

PATH = "/v1/me/devices/d1"
RECEIPTS = "/v1/me/receipts"


@pytest.fixture
def phone(device_of):
    return device_of("u1")


@pytest.fixture
def entry(backend):
    """Reads the registry entry of one user."""

    def read(identity, user="u1"):
        entries = backend.get(f"/v1/notifications/{identity}/registry").json["entries"]
        return next(entry for entry in entries if entry["user_id"] == user)

    return read


def report(phone, *receipts):
    names = ("notification_id", "status", "at", "device_id")
    return phone.post(RECEIPTS, {"receipts": [dict(zip(names, receipt, strict=False)) for receipt in receipts]})


class TestDevices:
    def test_a_device_is_registered_with_201_and_refreshed_with_200(self, phone):
        registration = {"platform": "android", "token": "target-1", "app_version": "1.2", "locale": "de_AT"}
        first = phone.put(PATH, registration)
        again = phone.put(PATH, registration | {"token": "target-2", "app_version": None})
        assert (first.status_code, again.status_code) == (201, 200)
        assert first.json == {
            "id": "d1",
            "platform": "android",
            "target_type": "token",
            "active": True,
            "reason": None,
            "registered_at": first.json["registered_at"],
            "confirmed_at": first.json["registered_at"],
            "stale": False,
            "app_version": "1.2",
            "locale": "de_AT",
        }
        assert (again.json["registered_at"] >= first.json["registered_at"], again.json["app_version"]) == (True, None)
        assert phone.get("/v1/me/devices").json == {"devices": [again.json]}

    def test_the_target_is_never_shown(self, phone):
        answer = phone.put(PATH, {"platform": "ios", "fid": "very-secret-target"})
        assert answer.json["target_type"] == "fid"
        assert "very-secret-target" not in answer.text + phone.get("/v1/me/devices").text

    def test_a_target_that_moves_to_another_user_leaves_the_old_owner(self, phone, device_of, database):
        phone.put(PATH, {"platform": "ios", "token": "shared"})
        device_of("u2").put(PATH, {"platform": "ios", "token": "shared"})
        [left] = phone.get("/v1/me/devices").json["devices"]
        assert (left["active"], left["reason"]) == (False, "moved")
        assert [user for user, _, _ in Devices(database).targets(["u1", "u2"])] == ["u2"]

    def test_a_dead_target_stays_listed_with_its_reason_and_lives_again_when_registered(self, phone, database):
        phone.put(PATH, {"platform": "ios", "token": "t"})
        dead = [("u1", "d1", Target(TargetType.TOKEN, "t"))]
        Devices(database).deactivate({Reason.UNREGISTERED: dead}, datetime.now(UTC))
        [device] = phone.get("/v1/me/devices").json["devices"]
        assert (device["active"], device["reason"]) == (False, "unregistered")
        assert phone.put(PATH, {"platform": "ios", "token": "t"}).json["active"] is True

    def test_registering_makes_the_user(self, backend, device_of):
        device_of("new").put(PATH, {"platform": "web", "fid": "f"})
        assert backend.get("/v1/users/new").status_code == 200

    def test_what_has_waited_for_a_device_is_queued(self, phone, notify, database):
        identity = notify("u1")
        Registry(database).hold({identity: ["u1"]}, Note(datetime.now(UTC), Reason.NO_DEVICE))
        phone.put(PATH, {"platform": "ios", "token": "t"})
        [batch] = database["batches"].find()
        assert (str(batch["_id"]["n"]), batch["users"]) == (identity, ["u1"])

    def test_a_device_is_deleted_once(self, phone):
        phone.put(PATH, {"platform": "ios", "token": "t"})
        assert phone.delete(PATH).status_code == 204
        assert phone.get("/v1/me/devices").json == {"devices": []}
        refused(phone.delete(PATH), 404)


class TestReceipts:
    def test_received_and_read_are_recorded_with_their_times(self, phone, notify, entry, database):
        identity = notify("u1")
        database["registry"].update_one({}, {"$set": {"history.0.at": datetime.now(UTC) - timedelta(seconds=9)}})
        at = datetime.now(UTC).replace(microsecond=0)
        received, read = (f"{t:%Y-%m-%dT%H:%M:%S}.000Z" for t in (at - timedelta(seconds=2), at - timedelta(seconds=1)))
        answer = report(phone, (identity, "received", received, "d1"), (identity, "read", read))
        assert answer.json == {"accepted": 2, "rejected": []}
        shown = entry(identity)
        assert (shown["status"], shown["received_at"], shown["read_at"]) == ("read", received, read)
        assert [line["status"] for line in shown["history"]] == ["pending", "received", "read"]

    def test_a_read_that_comes_first_sets_both_times_and_the_late_received_changes_nothing(self, phone, notify, entry):
        identity = notify("u1")
        report(phone, (identity, "read"))
        before = entry(identity)
        assert before["received_at"] == before["read_at"] is not None
        assert report(phone, (identity, "received")).json == {"accepted": 1, "rejected": []}
        assert entry(identity) == before

    def test_the_order_within_one_report_does_not_matter_either(self, phone, notify, entry):
        identity = notify("u1")
        assert report(phone, (identity, "read"), (identity, "received")).json["accepted"] == 2
        assert entry(identity)["status"] == "read"

    def test_a_repeated_receipt_is_accepted_and_changes_nothing(self, phone, notify, entry):
        identity = notify("u1")
        report(phone, (identity, "received"))
        before = entry(identity)
        assert report(phone, *[(identity, "received")] * 3).json == {"accepted": 3, "rejected": []}
        assert entry(identity) == before

    def test_unknown_and_foreign_ones_are_rejected_by_index_and_the_others_count(self, phone, notify, entry, stored):
        mine, foreign = notify("u1"), notify("u2")
        answer = report(phone, ("nonsense", "read"), (mine, "read"), ("0" * 24, "received"), (foreign, "read"))
        assert answer.status_code == 200
        assert answer.json["accepted"] == 1
        assert answer.json["rejected"] == [{"index": index, "error": UNKNOWN} for index in (0, 2, 3)]
        assert entry(mine)["status"] == "read"
        assert entry(foreign, "u2")["status"] == "pending"

    def test_a_late_receipt_of_a_failed_one_counts(self, phone, notify, entry, database):
        identity = notify("u1")
        Registry(database).move(Event.FAIL, {identity: ["u1"]}, Note(datetime.now(UTC), Reason.UNAVAILABLE))
        report(phone, (identity, "received"))
        assert entry(identity)["status"] == "received"

    def test_a_time_in_the_future_counts_as_now(self, phone, notify, entry):
        identity = notify("u1")
        report(phone, (identity, "received", "2099-01-01T00:00:00Z"))
        assert datetime.fromisoformat(entry(identity)["received_at"]) <= datetime.now(UTC)

    def test_a_time_before_the_notification_was_made_counts_as_then(self, phone, notify, entry):
        identity = notify("u1")
        report(phone, (identity, "received", "1970-01-02T00:00:00Z"))
        shown = entry(identity)
        assert shown["received_at"] == shown["pending_at"]

    def test_500_are_taken_at_once_and_501_are_not(self, phone, notify, stored):
        identity = notify("u1")
        assert report(phone, *[(identity, "received")] * 500).json["accepted"] == 500
        before = stored()
        refused(report(phone, *[(identity, "read")] * 501), 422, "receipts")
        assert stored() == before
