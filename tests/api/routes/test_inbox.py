from datetime import UTC, datetime, timedelta

import pytest

from notify_server.domain.audience import Recipient
from notify_server.storage.documents import new_id
from notify_server.storage.registry import Arrivals, Registry
from tests.api.caller import refused

PATH = "/v1/me/notifications"
MESSAGE = {"title": "T", "body": "B", "image": "https://x.example/i", "link": "https://x.example/", "data": {"k": "v"}}


@pytest.fixture
def phone(device_of):
    return device_of("u1")


@pytest.fixture
def enter(backend, database):
    """Posts a notification and enters u1, who was reached through these groups; its id."""

    def post(*groups, user="u1", **fields):
        payload = {"message": {"title": "Hello"}, "users": [user], **fields}
        identity = backend.post("/v1/notifications", payload).json["id"]
        arrivals = Arrivals(identity, fields.get("category"), [Recipient(user, groups)])
        Registry(database).insert([arrivals], datetime.now(UTC))
        return identity

    return post


def ids(answer):
    assert answer.status_code == 200
    return [item["id"] for item in answer.json["notifications"]]


class TestList:
    def test_an_item_has_what_the_contract_says(self, phone, enter):
        made = enter("choir", message=MESSAGE, category="news")
        answer = phone.get(PATH).json
        assert answer == {
            "notifications": [
                {
                    "id": made,
                    **MESSAGE,
                    "category": "news",
                    "groups": ["choir"],
                    "status": "pending",
                    "is_read": False,
                    "created_at": answer["notifications"][0]["created_at"],
                    "read_at": None,
                }
            ],
            "next": None,
            "unread": 1,
        }
        assert phone.get(f"{PATH}/{made}").json == answer["notifications"][0]

    def test_pages_go_on_where_they_ended_while_new_ones_arrive(self, phone, enter):
        made = [enter() for _ in range(5)]
        first = phone.get(f"{PATH}?limit=2")
        enter()
        second = phone.get(f"{PATH}?limit=2&cursor={first.json['next']}")
        enter()
        third = phone.get(f"{PATH}?limit=2&cursor={second.json['next']}")
        assert ids(first) + ids(second) + ids(third) == made[::-1]
        assert (third.json["next"], third.json["unread"]) == (None, 7)

    def test_it_is_narrowed_by_state_group_and_category(self, phone, enter):
        news, choir = enter(category="news"), enter("choir", "chess")
        phone("PATCH", f"{PATH}/{news}", json={"is_read": True})
        assert ids(phone.get(f"{PATH}?state=all")) == [choir, news]
        assert ids(phone.get(f"{PATH}?state=unread")) == [choir]
        assert ids(phone.get(f"{PATH}?state=read")) == [news]
        assert ids(phone.get(f"{PATH}?group=chess")) == [choir]
        assert ids(phone.get(f"{PATH}?category=news&state=read")) == [news]
        assert ids(phone.get(f"{PATH}?category=news&group=chess")) == []

    def test_the_inbox_of_another_shows_nothing(self, device_of, enter):
        enter()
        assert device_of("u2").get(PATH).json == {"notifications": [], "next": None, "unread": 0}

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ("state=new", "state"),
            ("limit=0", "limit"),
            ("limit=201", "limit"),
            ("cursor=nonsense", "cursor"),
            ("group=a/b", "group"),
            ("category=", "category"),
            ("user=u2", "user"),
        ],
    )
    def test_what_it_does_not_understand_is_named(self, phone, query, field):
        refused(phone.get(f"{PATH}?{query}"), 422, field)


class TestOne:
    @pytest.mark.parametrize("identity", ["0" * 24, "nonsense", "counts2"])
    def test_what_is_unknown_is_404(self, phone, identity):
        refused(phone.get(f"{PATH}/{identity}"), 404)
        refused(phone("PATCH", f"{PATH}/{identity}", json={"is_read": True}), 404)

    def test_what_is_anothers_is_as_unknown_as_what_does_not_exist(self, phone, device_of, enter, stored):
        made, unknown, other = enter(), new_id(), device_of("u2")
        before = stored()
        for ask in (
            lambda identity: other.get(f"{PATH}/{identity}"),
            lambda identity: other("PATCH", f"{PATH}/{identity}", json={"is_read": True}),
        ):
            answers = [ask(identity) for identity in (made, unknown)]
            refused(answers[0], 404)
            texts = [answer.text.replace(i, "…") for answer, i in zip(answers, (made, unknown), strict=True)]
            assert texts[0] == texts[1]
        assert stored() == before
        assert phone.get(f"{PATH}/{made}").status_code == 200

    def test_it_is_marked_both_ways_and_the_registry_keeps_the_receipt(self, phone, backend, enter):
        made = enter()
        read = phone("PATCH", f"{PATH}/{made}", json={"is_read": True}).json
        assert (read["is_read"], read["status"]) == (True, "read")
        unread = phone("PATCH", f"{PATH}/{made}", json={"is_read": False}).json
        assert unread == read | {"is_read": False}
        [entry] = backend.get(f"/v1/notifications/{made}/registry").json["entries"]
        assert (entry["status"], entry["received_at"], entry["read_at"]) == ("read", read["read_at"], read["read_at"])
        assert [line["status"] for line in entry["history"]] == ["pending", "read"]

    @pytest.mark.parametrize(
        ("body", "fields"),
        [
            ({}, ["is_read"]),
            ({"is_read": "yes"}, ["is_read"]),
            ({"is_read": None}, ["is_read"]),
            ({"is_read": True, "title": "mine", "status": "sent"}, ["status", "title"]),
        ],
    )
    def test_nothing_else_can_be_changed(self, phone, enter, stored, body, fields):
        made = enter()
        before = stored()
        refused(phone("PATCH", f"{PATH}/{made}", json=body), 422, *fields)
        assert stored() == before


class TestCounts:
    def test_unread_ones_are_counted(self, phone, enter):
        enter("choir", "chess", category="news")
        enter("choir")
        phone("PATCH", f"{PATH}/{enter('golf')}", json={"is_read": True})
        expected = {"unread": 2, "groups": {"choir": 2, "chess": 1}, "categories": {"news": 1}}
        assert phone.get(f"{PATH}/counts").json == expected

    def test_an_empty_inbox_has_none(self, phone):
        assert phone.get(f"{PATH}/counts").json == {"unread": 0, "groups": {}, "categories": {}}


class TestMarkRead:
    def test_all_of_groups_and_categories_or_everything_is_marked(self, phone, enter, device_of):
        enter("choir"), enter(category="news"), enter(), enter(user="u2")
        assert phone.post(f"{PATH}/read", {"groups": ["choir"], "categories": ["news"]}).json == {"updated": 2}
        assert phone.post(f"{PATH}/read", {"all": True}).json == {"updated": 1}
        assert phone.post(f"{PATH}/read", {"all": True}).json == {"updated": 0}
        assert device_of("u2").get(PATH).json["unread"] == 1

    def test_a_time_bounds_it(self, phone, enter):
        made = enter()
        created_at = phone.get(f"{PATH}/{made}").json["created_at"]
        assert phone.post(f"{PATH}/read", {"all": True, "before": created_at}).json == {"updated": 0}
        later = (datetime.fromisoformat(created_at) + timedelta(milliseconds=2)).isoformat()
        assert phone.post(f"{PATH}/read", {"all": True, "before": later}).json == {"updated": 1}

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({}, "all"),
            ({"all": True, "groups": ["g"]}, "all"),
            ({"all": 1}, "all"),
            ({"groups": "g"}, "groups"),
            ({"groups": ["a/b"]}, "groups.0"),
            ({"all": True, "before": "yesterday"}, "before"),
            ({"all": True, "user": "u2"}, "user"),
        ],
    )
    def test_what_it_does_not_understand_is_named_and_changes_nothing(self, phone, enter, stored, body, field):
        enter()
        before = stored()
        refused(phone.post(f"{PATH}/read", body), 422, field)
        assert stored() == before
