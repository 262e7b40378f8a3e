import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from notify_server.domain.registry import Event, Note, Reason, Status
from notify_server.storage.registry import Registry
from tests.api.caller import refused
from tests.builders import at_once

PATH = "/v1/notifications"
PAYLOAD = {"message": {"title": "Hello"}, "users": ["u1"]}
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
FULL = {
    "message": {
        "title": "Booking confirmed",
        "body": "Algebra 101, Monday 9:00",
        "image": "https://example.org/a.png",
        "link": "https://example.org/bookings/123",
        "data": {"booking_id": "123"},
    },
    "users": ["u1", "u2"],
    "groups": ["class-101"],
    "communities": [],
    "everyone": False,
    "category": "booking",
    "community": "school-1",
    "channels": ["push", "realtime"],
    "priority": "high",
    "ttl": 86400,
    "send_at": "2099-12-01T09:00:00Z",
    "resend": {"after": 900, "times": 2},
}


def ids(answer):
    return [notification["id"] for notification in answer.json["notifications"]]


def test_an_accepted_notification_is_stored_and_found_at_its_location(backend, database):
    answer = backend.post(PATH, PAYLOAD)
    assert answer.status_code == 202
    assert answer.json["state"] == "accepted"
    assert answer.location == f"{PATH}/{answer.json['id']}"
    assert backend.get(answer.location).json["id"] == answer.json["id"]
    assert database["notifications"].count_documents({}) == 1


def test_what_the_contract_shows_is_accepted_and_given_back(backend):
    answer = backend.post(PATH, FULL)
    assert answer.json["state"] == "scheduled"
    shown = backend.get(answer.location).json
    assert {name: shown[name] for name in FULL if name not in ("users", "send_at")} == {
        name: value for name, value in FULL.items() if name not in ("users", "send_at")
    }
    assert shown["send_at"] == "2099-12-01T09:00:00.000Z"
    assert shown["expires_at"] == answer.json["expires_at"] == "2099-12-02T09:00:00.000Z"
    assert shown["state"] == "scheduled"


def test_the_example_of_the_repository_is_accepted(backend):
    example = Path(__file__).parents[3] / "examples" / "booking.json"
    assert backend.post(PATH, json.loads(example.read_text())).status_code == 202


@pytest.mark.parametrize(
    "payload",
    [
        {"message": {"title": "t"}, "users": ["u"]},
        {"message": {"body": "b"}, "groups": ["g"]},
        {"message": {"data": {"k": "v"}}, "communities": ["c"]},
        {"message": {"title": "t"}, "everyone": True},
        {"message": {"title": "t", "body": None, "link": None}, "users": ["u"], "category": None, "send_at": None},
        {"message": {"title": "t"}, "users": [f"user-{n}" for n in range(50_000)]},
    ],
    ids=["users", "groups", "communities", "everyone", "nulls", "50,000 users"],
)
def test_the_least_and_the_most_that_is_required_will_do(backend, payload):
    assert backend.post(PATH, payload).status_code == 202


def test_a_send_at_that_is_over_means_now(backend):
    answer = backend.post(PATH, PAYLOAD | {"send_at": "2020-01-01T00:00:00+02:00"})
    assert answer.json["state"] == "accepted"
    assert backend.get(answer.location).json["send_at"] is None


def test_the_answer_counts_the_entries_of_every_status(backend, notify, database):
    identity = notify("u1", "u2", "u3")
    Registry(database).move(Event.SEND, {identity: ["u1", "u2"]}, Note(datetime.now(UTC), attempts=1))
    Registry(database).move(Event.READ, {identity: ["u2"]}, Note(datetime.now(UTC)))
    shown = backend.get(f"{PATH}/{identity}").json
    zero = dict.fromkeys(Status, 0)
    assert shown["counts"] == zero | {"pending": 1, "sent": 1, "read": 1}
    without = {name: value for name, value in shown.items() if name not in {"counts", "erased"}}
    assert backend.get(PATH).json["notifications"] == [without]


@pytest.mark.parametrize("name", ["0" * 24, "nonsense", "%00", "a" * 3000, "..."])
@pytest.mark.parametrize("rest", ["", "/registry"])
def test_what_is_no_notification_is_not_found(backend, name, rest):
    refused(backend.get(f"{PATH}/{name}{rest}"), 404)


class TestIdempotency:
    def test_the_same_key_and_body_give_the_same_answer_and_one_notification(self, backend, database):
        first = backend.post(PATH, PAYLOAD, headers={"Idempotency-Key": "k"})
        again = backend.post(PATH, PAYLOAD, headers={"Idempotency-Key": "k"})
        assert (again.status_code, again.json, again.location) == (202, first.json, first.location)
        assert database["notifications"].count_documents({}) == 1

    def test_the_answer_stays_the_same_when_the_notification_has_moved_on(self, backend, database):
        first = backend.post(PATH, PAYLOAD, headers={"Idempotency-Key": "k"})
        database["notifications"].update_one({}, {"$set": {"state": "done"}})
        assert backend.post(PATH, PAYLOAD, headers={"Idempotency-Key": "k"}).json == first.json

    def test_the_same_body_may_be_spelled_otherwise(self, backend):
        first = backend.post(PATH, PAYLOAD, headers={"Idempotency-Key": "k"})
        spelled = {"users": ["u1", "u1"], "ttl": 86400, "message": {"title": "Hello", "body": None}}
        assert backend.post(PATH, spelled, headers={"Idempotency-Key": "k"}).json == first.json

    def test_the_same_key_with_another_body_is_a_conflict(self, backend, stored):
        backend.post(PATH, PAYLOAD, headers={"Idempotency-Key": "k"})
        before = stored()
        refused(backend.post(PATH, PAYLOAD | {"ttl": 60}, headers={"Idempotency-Key": "k"}), 409)
        assert stored()["notifications"] == before["notifications"]

    def test_keys_of_two_clients_do_not_clash(self, backend, caller, services, database):
        other = caller(services.server_tokens.create("other", ["send"]))
        first = backend.post(PATH, PAYLOAD, headers={"Idempotency-Key": "k"})
        second = other.post(PATH, PAYLOAD | {"ttl": 60}, headers={"Idempotency-Key": "k"})
        assert second.status_code == 202
        assert second.json["id"] != first.json["id"]
        assert database["notifications"].count_documents({}) == 2

    def test_without_a_key_the_same_body_is_another_notification(self, backend):
        assert backend.post(PATH, PAYLOAD).json["id"] != backend.post(PATH, PAYLOAD).json["id"]

    def test_threads_that_race_with_one_key_make_one_notification(self, backend, database):
        answers = at_once(*[lambda: backend.post(PATH, PAYLOAD, headers={"Idempotency-Key": "raced"})] * 8)
        assert [answer.status_code for answer in answers] == [202] * 8
        assert len({answer.text for answer in answers}) == 1
        assert database["notifications"].count_documents({}) == 1

    def test_a_key_that_is_empty_or_too_long_is_refused(self, backend, stored):
        before = stored()
        for key in ("", "k" * 256):
            refused(backend.post(PATH, PAYLOAD, headers={"Idempotency-Key": key}), 422, "Idempotency-Key")
        assert stored() == before


class TestList:
    def test_it_is_newest_first_in_pages_that_end(self, backend, notify):
        posted = [notify("u1") for _ in range(5)]
        first = backend.get(f"{PATH}?limit=2")
        second = backend.get(f"{PATH}?limit=2&cursor={first.json['next']}")
        third = backend.get(f"{PATH}?limit=2&cursor={second.json['next']}")
        assert ids(first) + ids(second) + ids(third) == posted[::-1]
        assert third.json["next"] is None

    def test_a_page_that_is_exactly_full_is_the_last(self, backend, notify):
        notify("u1"), notify("u1")
        assert backend.get(f"{PATH}?limit=2").json["next"] is None

    def test_pages_are_stable_while_new_notifications_arrive(self, backend, notify):
        posted = [notify("u1") for _ in range(4)]
        first = backend.get(f"{PATH}?limit=2")
        notify("u1"), notify("u1")
        second = backend.get(f"{PATH}?limit=2&cursor={first.json['next']}")
        assert ids(first) + ids(second) == posted[::-1]
        assert second.json["next"] is None

    def test_it_is_filtered_by_category_community_and_state(self, backend, database):
        made = {
            name: backend.post(PATH, PAYLOAD | fields).json["id"]
            for name, fields in {
                "plain": {},
                "booking": {"category": "booking"},
                "school": {"community": "school", "category": "booking"},
                "later": {"send_at": "2099-01-01T00:00:00Z"},
            }.items()
        }
        database["notifications"].update_one({"community": "school"}, {"$set": {"state": "done"}})
        expected = {
            "category=booking": {"booking", "school"},
            "community=school": {"school"},
            "category=booking&community=school": {"school"},
            "category=other": set(),
            "state=scheduled": {"later"},
            "state=accepted": {"plain", "booking"},
            "state=done": {"school"},
            "state=cancelled": set(),
            "state=done&category=booking": {"school"},
        }
        found = {query: set(ids(backend.get(f"{PATH}?{query}"))) for query in expected}
        assert found == {query: {made[name] for name in names} for query, names in expected.items()}

    def test_it_is_bounded_by_the_time_of_acceptance(self, backend, notify):
        early = notify("u1")
        time.sleep(1.1)  # ids, by which the filter goes, hold seconds
        late = notify("u1")
        between = backend.get(f"{PATH}/{late}").json["created_at"][:19] + "Z"
        assert ids(backend.get(f"{PATH}?from={between}")) == [late]
        assert ids(backend.get(f"{PATH}?to={between}")) == [early]
        assert ids(backend.get(f"{PATH}?from=2020-01-01T00:00:00%2B02:00&to=2099-01-01T00:00:00Z")) == [late, early]
        assert ids(backend.get(f"{PATH}?from={between}&to={between}")) == []

    def test_filters_hold_over_pages(self, backend):
        posted = [backend.post(PATH, PAYLOAD | {"category": c}).json["id"] for c in ("a", "b", "a", "b", "a")]
        first = backend.get(f"{PATH}?category=a&limit=2&from=2020-01-01T00:00:00Z")
        second = backend.get(f"{PATH}?category=a&limit=2&from=2020-01-01T00:00:00Z&cursor={first.json['next']}")
        assert ids(first) + ids(second) == [posted[4], posted[2], posted[0]]

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ("limit=0", "limit"),
            ("limit=201", "limit"),
            ("limit=-1", "limit"),
            ("limit=ten", "limit"),
            ("limit=1e2", "limit"),
            ("limit=" + "9" * 5000, "limit"),
            ("cursor=!!!!", "cursor"),
            ("cursor=", "cursor"),
            ("cursor=%00", "cursor"),
            ("cursor=%FF", "cursor"),
            ("cursor=dTE", "cursor"),  # a user's id, from another list
            ("cursor=" + "A" * 2000, "cursor"),
            ("state=bogus", "state"),
            ("state=", "state"),
            ("category=", "category"),
            ("category=a%00b", "category"),
            ("category=" + "c" * 129, "category"),
            ("from=yesterday", "from"),
            ("from=2026-12-01", "from"),
            ("from=1969-12-31T00:00:00Z", "from"),
            ("to=2100-01-01T00:00:00Z", "to"),
            ("to=2026-13-01T00:00:00Z", "to"),
            ("sort=asc", "sort"),
            ("$where=1", "$where"),
            ("state[$ne]=done", "state[$ne]"),
        ],
    )
    def test_a_bad_query_is_refused_by_name(self, backend, query, field):
        refused(backend.get(f"{PATH}?{query}"), 422, field)


class TestRegistry:
    def test_it_lists_the_entries_by_user_with_reason_and_history(self, backend, notify, database):
        identity = notify("u2", "u1")
        at = datetime.now(UTC) + timedelta(seconds=1)
        Registry(database).move(Event.FAIL, {identity: ["u2"]}, Note(at, Reason.UNREGISTERED, "gone", attempts=1))
        entries = backend.get(f"{PATH}/{identity}/registry").json["entries"]
        assert [(e["user_id"], e["status"], e["reason"], e["attempts"]) for e in entries] == [
            ("u1", "pending", None, 0),
            ("u2", "failed", "unregistered", 1),
        ]
        assert [(line["status"], line["detail"]) for line in entries[1]["history"]] == [
            ("pending", None),
            ("failed", "gone"),
        ]
        assert entries[0].keys() == {
            *("notification_id", "user_id", "status", "reason", "groups", "attempts", "history"),
            *("pending_at", "sent_at", "received_at", "read_at"),
        }

    def test_it_is_filtered_by_status_over_pages(self, backend, notify, database):
        identity = notify(*(f"u{n}" for n in range(6)))
        Registry(database).move(Event.SEND, {identity: ["u1", "u3", "u5"]}, Note(datetime.now(UTC)))
        first = backend.get(f"{PATH}/{identity}/registry?status=sent&limit=2").json
        second = backend.get(f"{PATH}/{identity}/registry?status=sent&limit=2&cursor={first['next']}").json
        assert [entry["user_id"] for entry in first["entries"] + second["entries"]] == ["u1", "u3", "u5"]
        assert second["next"] is None
        assert backend.get(f"{PATH}/{identity}/registry?status=read").json == {"entries": [], "next": None}

    def test_pages_follow_user_ids_of_any_kind(self, backend, notify):
        users = sorted(["ä", "u 1", "ÿ?&#", "日本", "a+b", "~"])
        identity = notify(*users)
        seen, cursor = [], ""
        while cursor is not None:
            page = backend.get(f"{PATH}/{identity}/registry?limit=1{cursor and '&cursor='}{cursor}").json
            seen += [entry["user_id"] for entry in page["entries"]]
            cursor = page["next"]
        assert seen == users

    @pytest.mark.parametrize(("query", "field"), [("status=gone", "status"), ("limit=0", "limit"), ("x=1", "x")])
    def test_a_bad_query_is_refused_by_name(self, backend, notify, query, field):
        refused(backend.get(f"{PATH}/{notify('u1')}/registry?{query}"), 422, field)


class TestCancel:
    def test_it_says_how_many_were_stopped(self, backend, notify, database):
        identity = notify("u1", "u2", "u3")
        Registry(database).move(Event.SEND, {identity: ["u1"]}, Note(datetime.now(UTC), attempts=1))
        answer = backend.post(f"{PATH}/{identity}/cancel")
        assert answer.status_code == 200
        assert answer.json == {
            "id": identity,
            "state": "cancelled",
            "stopped": 2,
            "in_flight": 0,
            "remaining": 0,
            "expanded": False,
        }
        shown = backend.get(f"{PATH}/{identity}").json
        assert (shown["state"], shown["counts"]["cancelled"], shown["counts"]["sent"]) == ("cancelled", 2, 1)
        entries = backend.get(f"{PATH}/{identity}/registry?status=cancelled").json["entries"]
        assert [(entry["user_id"], entry["reason"]) for entry in entries] == [
            ("u2", "cancelled_by_backend"),
            ("u3", "cancelled_by_backend"),
        ]

    def test_twice_is_as_once(self, backend, notify):
        identity = notify("u1", "u2")
        answers = [backend.post(f"{PATH}/{identity}/cancel", {}) for _ in range(2)]
        assert answers[0].json == answers[1].json
        assert answers[1].json["stopped"] == 2

    def test_what_is_scheduled_is_cancelled(self, backend):
        posted = backend.post(PATH, PAYLOAD | {"send_at": "2099-01-01T00:00:00Z"}).json["id"]
        assert backend.post(f"{PATH}/{posted}/cancel").json["expanded"] is False
        assert backend.get(f"{PATH}/{posted}").json["state"] == "cancelled"

    def test_the_answer_to_its_key_stays_the_same(self, backend):
        first = backend.post(PATH, PAYLOAD, headers={"Idempotency-Key": "k"})
        backend.post(f"{PATH}/{first.json['id']}/cancel")
        assert backend.post(PATH, PAYLOAD, headers={"Idempotency-Key": "k"}).json == first.json

    def test_where_everybody_has_been_dealt_with_it_is_a_conflict(self, backend, notify, database):
        identity = notify("u1")
        Registry(database).move(Event.SEND, {identity: ["u1"]}, Note(datetime.now(UTC)))
        database["notifications"].update_one({}, {"$set": {"state": "done"}})
        answer = backend.post(f"{PATH}/{identity}/cancel")
        refused(answer, 409)
        assert "nothing of it can be stopped" in answer.json["detail"]
        assert backend.get(f"{PATH}/{identity}").json["state"] == "done"

    def test_where_it_is_to_be_sent_again_what_is_done_is_cancelled(self, backend, notify, database):
        identity = notify("u1")
        Registry(database).move(Event.SEND, {identity: ["u1"]}, Note(datetime.now(UTC)))
        database["notifications"].update_one({}, {"$set": {"state": "done", "expanded": True}})
        assert backend.post(f"{PATH}/{identity}/resend").json["queued"] == 1
        answer = backend.post(f"{PATH}/{identity}/cancel")
        assert (answer.status_code, answer.json["state"], answer.json["stopped"]) == (200, "cancelled", 0)
        assert backend.get(f"{PATH}/{identity}").json["counts"]["sent"] == 1

    def test_where_somebody_waits_for_a_device_what_is_done_is_cancelled(self, backend, notify, database):
        identity = notify("u1")
        Registry(database).hold({identity: ["u1"]}, Note(datetime.now(UTC), Reason.NO_DEVICE))
        database["notifications"].update_one({}, {"$set": {"state": "done"}})
        assert backend.post(f"{PATH}/{identity}/cancel").json["stopped"] == 1

    def test_what_has_expired_is_a_conflict(self, backend, notify, database):
        identity = notify("u1", ttl=1)
        database["notifications"].update_one({}, {"$set": {"created_at": LONG_AGO}})
        answer = backend.post(f"{PATH}/{identity}/cancel")
        refused(answer, 409)
        assert "time to live is over" in answer.json["detail"]

    def test_a_body_with_anything_in_it_is_refused(self, backend, notify):
        identity = notify("u1")
        refused(backend.post(f"{PATH}/{identity}/cancel", {"users": ["u1"]}), 422, "users")
        assert backend.get(f"{PATH}/{identity}").json["state"] == "accepted"


class TestResend:
    @pytest.fixture
    def sent(self, notify, database):
        """A notification that u1, u2 and u3 were sent, that u3 has read, and that u4 still waits for."""
        identity = notify("u1", "u2", "u3", "u4")
        Registry(database).move(Event.SEND, {identity: ["u1", "u2", "u3"]}, Note(datetime.now(UTC)))
        Registry(database).move(Event.READ, {identity: ["u3"]}, Note(datetime.now(UTC)))
        return identity

    def test_it_says_how_many_are_sent_it_again(self, backend, sent, database):
        for body in (None, {}, {"users": None}):
            answer = backend.post(f"{PATH}/{sent}/resend", body)
            assert answer.status_code == 202
            assert answer.json == {"id": sent, "queued": 2, "skipped": 0}
        assert database["resends"].count_documents({}) == 1

    def test_it_is_narrowed_and_counts_who_is_left_out(self, backend, sent):
        answer = backend.post(f"{PATH}/{sent}/resend", {"users": ["u2", "u2", "u3", "u4", "stranger"]})
        assert answer.json == {"id": sent, "queued": 1, "skipped": 3}

    def test_the_most_that_can_be_named_are_taken(self, backend, sent):
        answer = backend.post(f"{PATH}/{sent}/resend", {"users": ["u1", *(f"v{n}" for n in range(49_999))]})
        assert answer.json == {"id": sent, "queued": 1, "skipped": 49_999}

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"users": []}, "users"),
            ({"users": "u1"}, "users"),
            ({"users": ["a/b"]}, "users.0"),
            ({"users": [1]}, "users.0"),
            ({"users": ["u"] * 50_001}, "users"),
            ({"failed": True}, "failed"),
        ],
        ids=["none", "no list", "no id", "no text", "too many", "unknown"],
    )
    def test_a_bad_body_is_refused_by_name(self, backend, sent, stored, body, field):
        before = stored()
        refused(backend.post(f"{PATH}/{sent}/resend", body), 422, field)
        assert stored() == before

    @pytest.mark.parametrize(
        ("fields", "detail"),
        [
            ({"state": "cancelled"}, "It is cancelled"),
            ({"state": "scheduled"}, "It is scheduled"),
            ({"created_at": LONG_AGO}, "time to live is over"),
            ({"channels": ["realtime"]}, "neither by push nor by mail"),
        ],
        ids=["cancelled", "scheduled", "expired", "realtime"],
    )
    def test_where_nothing_may_be_sent_it_is_a_conflict(self, backend, sent, database, fields, detail):
        database["notifications"].update_one({}, {"$set": fields})
        answer = backend.post(f"{PATH}/{sent}/resend")
        refused(answer, 409)
        assert detail in answer.json["detail"]
        assert database["resends"].count_documents({}) == 0


@pytest.mark.parametrize("verb", ["cancel", "resend"])
class TestBoth:
    @pytest.mark.parametrize("name", ["0" * 24, "nonsense", "%00", "..."])
    def test_what_is_no_notification_is_not_found(self, backend, verb, name):
        refused(backend.post(f"{PATH}/{name}/{verb}"), 404)

    def test_the_scope_send_is_needed(self, caller, services, notify, stored, verb):
        identity = notify("u1")
        reader = caller(services.server_tokens.create("reader", ["read"]))
        sender = caller(services.server_tokens.create("sender", ["send"]))
        before = stored()["notifications"]
        refused(reader.post(f"{PATH}/{identity}/{verb}"), 403)
        assert stored()["notifications"] == before
        assert sender.post(f"{PATH}/{identity}/{verb}").status_code in (200, 202)

    def test_a_body_must_be_json(self, backend, notify, verb):
        identity = notify("u1")
        refused(backend.post(f"{PATH}/{identity}/{verb}", data=b"{", content_type="application/json"), 400)
        refused(backend.post(f"{PATH}/{identity}/{verb}", data=b"{}", content_type="text/plain"), 415)
