from datetime import UTC, datetime
from functools import partial

import pytest

from notify_server.domain.registry import Event, Note, Reason
from notify_server.services.server_tokens import Scope
from notify_server.storage.documents import new_id
from notify_server.storage.inbox_pages import REACH
from notify_server.storage.registry import Registry
from tests.api.jsonapi.speaker import ALL, MEDIA_TYPE, MINE, Speaker, change, entered, faulty, ids, one

EITHER = "either"


@pytest.fixture
def server(backend):
    return Speaker(backend)


@pytest.fixture
def phone(device_of):
    return Speaker(device_of("u1"))


@pytest.fixture
def enter(database):
    return partial(entered, database)


@pytest.fixture
def other(device_of):
    return Speaker(device_of("u2"))


class TestWho:
    def test_another_users_notification_is_not_found_on_get(self, phone, other, enter):
        """Open Event Server once showed it: its guard named PATCH and DELETE alone."""
        made = enter("u2", "u3")
        plain = made.partition(":")[0]
        for path in (one(made), one(plain), f"{one(made)}/user", f"{one(made)}/relationships/user"):
            faulty(phone.get(path), 404)
        assert other.get(one(made)).status_code == 200

    def test_another_users_notification_is_not_found_on_patch_and_stays_as_it_is(self, phone, enter, stored):
        made = enter("u2")
        before = stored()
        for identity in (made, made.partition(":")[0]):
            faulty(phone.mark(one(identity), **{"is-read": True}), 404)
        assert stored() == before

    def test_another_users_is_answered_as_what_does_not_exist(self, phone, enter):
        theirs, nobodys = enter("u2"), f"{new_id()}:u2"
        told = [phone.get(one(identity)).text.replace(identity, "ID") for identity in (theirs, nobodys)]
        assert len({text.replace(theirs, "ID") for text in told}) == 1

    def test_a_notification_of_several_is_to_each_their_own(self, phone, other, server, enter):
        made = enter("u1", "u2").partition(":")[0]
        assert phone.mark(one(made), **{"is-read": True}).json["data"]["id"] == f"{made}:u1"
        read = {r["id"]: r["attributes"]["is-read"] for r in server.get(ALL).json["data"]}
        assert read == {f"{made}:u1": True, f"{made}:u2": False}
        assert other.get(one(made)).json["data"]["attributes"]["is-read"] is False

    def test_another_users_list_is_not_found_whether_they_exist_or_not(self, phone, enter):
        enter("u2")
        told = {phone.get(f"/jsonapi/users/{user}/notifications").text.replace(user, "U") for user in ("u2", "u9")}
        assert len(told) == 1
        faulty(phone.get("/jsonapi/users/u2/notifications"), 404)

    def test_a_user_lists_their_own_alone(self, phone, enter):
        mine, _ = enter("u1"), enter("u2")
        assert ids(phone.get(MINE)) == [mine]

    def test_a_server_token_sees_everyones(self, server, enter):
        first, second = enter("u1", second=1), enter("u2", second=2)
        assert ids(server.get(ALL)) == [second, first]
        assert ids(server.get("/jsonapi/users/u2/notifications")) == [second]
        assert server.get(one(first)).json["data"]["relationships"]["user"]["data"]["id"] == "u1"

    def test_the_notifications_own_id_names_the_entry_of_a_user_and_none_for_a_server(self, phone, server, enter):
        made = enter("u1", "u2")
        plain = made.partition(":")[0]
        assert phone.get(one(plain)).json["data"]["id"] == made
        [error] = faulty(server.get(one(plain)), 404)
        assert "{notification_id}:{user_id}" in error["detail"]

    @pytest.mark.parametrize("identity", ["x", "x:u1", ":u1", "0" * 24, "0" * 23 + ":u1", "%00:u1", "%ff", ":"])
    def test_what_is_no_id_names_nothing(self, phone, server, identity):
        for speaker in (phone, server):
            faulty(speaker.get(f"{ALL}/{identity}"), 404)

    def test_what_is_hidden_is_in_no_list(self, phone, server, database, enter):
        gone, there = enter(), enter()
        Registry(database).move_all(
            Event.CANCEL, gone.partition(":")[0], Note(datetime.now(UTC), Reason.CANCELLED_BY_BACKEND)
        )
        assert ids(phone.get(MINE)) == ids(server.get(ALL)) == [there]
        faulty(phone.get(one(gone)), 404)

    def test_users_are_included_for_a_server_token_with_that_scope_alone(self, caller, services, enter):
        made = enter()
        reader = Speaker(caller(services.server_tokens.create("reader", [Scope.READ])))
        assert reader.get(ALL).status_code == 200
        for path in (f"{ALL}?include=user", f"{MINE}?include=user", f"{one(made)}?include=user", f"{one(made)}/user"):
            [error] = faulty(reader.get(path), 403)
            assert "scope users" in error["detail"]


class TestPages:
    def test_pages_by_number_have_links_to_one_another(self, phone, enter):
        made = [enter(second=second) for second in range(5)][::-1]
        answer = phone.get(f"{MINE}?page[size]=2&page[number]=2&sort=-received-at")
        address = f"{MINE}?page%5Bsize%5D=2&page%5Bnumber%5D={{}}&sort=-received-at"
        assert ids(answer) == made[2:4]
        assert answer.json["meta"] == {"count": 5}
        assert answer.json["links"] == {
            "self": address.format(2),
            "first": address.format(1),
            "last": address.format(3),
            "prev": address.format(1),
            "next": address.format(3),
        }

    def test_following_next_walks_everything_once(self, phone, server, enter):
        made = [enter(second=second // 3) for second in range(7)]
        for speaker, path in ((phone, MINE), (server, ALL)):
            for order in ("received-at", "-received-at", "is-read", "-is-read,received-at"):
                walked, link = [], f"{path}?page[size]=2&sort={order}"
                while link:
                    page = speaker.get(link)
                    walked += ids(page)
                    link = page.json["links"]["next"]
                assert sorted(walked) == sorted(made)

    def test_oldest_first_nothing_shifts_while_new_ones_arrive(self, phone, server, enter):
        made = [enter(second=second) for second in range(6)]
        for speaker, path in ((phone, MINE), (server, ALL)):
            walked = []
            for number in (1, 2, 3):
                walked += ids(speaker.get(f"{path}?sort=received-at&page[size]=2&page[number]={number}"))
                enter(second=1000)
            assert walked == made

    def test_the_ends_have_no_links_beyond(self, phone, enter):
        empty = phone.get(MINE).json
        assert (empty["data"], empty["meta"]) == ([], {"count": 0})
        assert (empty["links"]["prev"], empty["links"]["next"]) == (None, None)
        assert empty["links"]["first"] == empty["links"]["last"] == f"{MINE}?page%5Bnumber%5D=1"
        enter()
        beyond = phone.get(f"{MINE}?page[number]=3").json
        assert (beyond["data"], beyond["meta"], beyond["links"]["next"]) == ([], {"count": 1}, None)

    def test_a_page_has_at_most_200_and_20_where_nothing_is_said(self, phone, enter):
        for second in range(21):
            enter(second=second)
        assert len(ids(phone.get(MINE))) == 20
        assert len(ids(phone.get(f"{MINE}?page[size]=200"))) == 21
        faulty(phone.get(f"{MINE}?page[size]=201"), 400, "page[size]")

    def test_no_page_lies_past_the_reach(self, phone, server):
        for speaker, path in ((phone, MINE), (server, ALL)):
            assert ids(speaker.get(f"{path}?page[size]=200&page[number]={REACH // 200}")) == []
            faulty(speaker.get(f"{path}?page[size]=200&page[number]={REACH // 200 + 1}"), 400, "page[number]")
            faulty(speaker.get(f"{path}?page[number]={10**30}"), 400, "page[number]")


class TestOrderAndFilter:
    @pytest.fixture
    def mixed(self, phone, enter):
        """Four, of which the second and the third are read; oldest first."""
        made = [enter(second=second) for second in range(4)]
        for identity in made[1:3]:
            phone.mark(one(identity), **{"is-read": True})
        return made

    @pytest.mark.parametrize(
        ("sort", "order"),
        [
            ("received-at", "0123"),
            ("-received-at", "3210"),
            ("is-read", "3021"),
            ("-is-read", "2130"),
            ("is-read,received-at", "0312"),
            ("-is-read,-received-at", "2130"),
        ],
    )
    def test_lists_are_sorted_as_asked_across_pages(self, phone, server, mixed, sort, order):
        wanted = [mixed[int(number)] for number in order]
        for speaker, path in ((phone, MINE), (server, ALL)):
            assert ids(speaker.get(f"{path}?sort={sort}")) == wanted
            paged = [ids(speaker.get(f"{path}?sort={sort}&page[size]=3&page[number]={n}")) for n in (1, 2)]
            assert paged == [wanted[:3], wanted[3:]]

    @pytest.mark.parametrize(
        "sort", ["", "title", "id", "received_at", "--is-read", "received-at,is-read", "is-read,", "is-read,is-read"]
    )
    def test_any_other_order_is_refused(self, phone, sort):
        faulty(phone.get(MINE, query_string={"sort": sort}), 400, "sort")

    @pytest.mark.parametrize(
        ("query", "order"),
        [
            ({"filter[is-read]": "true"}, "21"),
            ({"filter[is-read]": "false"}, "30"),
            ({"filter": '[{"name": "is-read", "op": "eq", "val": true}]'}, "21"),
            ({"filter": '[{"op": "==", "val": false, "name": "is_read"}]'}, "30"),
            ({"filter": "[]"}, "3210"),
        ],
    )
    def test_lists_are_filtered_by_is_read_and_count_what_they_hold(self, phone, server, mixed, query, order):
        for speaker, path in ((phone, MINE), (server, ALL)):
            answer = speaker.get(path, query_string=query)
            assert ids(answer) == [mixed[int(number)] for number in order]
            assert answer.json["meta"] == {"count": len(order)}

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("filter[is-read]", "1"),
            ("filter[is-read]", ""),
            ("filter", ""),
            ("filter", "{}"),
            ("filter", '[{"name": "title", "op": "eq", "val": "x"}]'),
            ("filter", '[{"name": "is-read", "op": "eq", "val": 1}]'),
            ("filter", '[{"name": "is-read", "op": "ne", "val": true}]'),
            ("filter", '[{"name": "is-read", "op": "eq", "val": true}, {"name": "is-read", "op": "eq", "val": true}]'),
            ("filter", '[{"name": "$where", "op": "eq", "val": {"$gt": 1}}]'),
        ],
    )
    def test_any_other_filter_is_refused(self, phone, name, value):
        faulty(phone.get(MINE, query_string={name: value}), 400, name)

    def test_both_forms_of_filter_at_once_are_refused(self, phone):
        both = '[{"name": "is-read", "op": "eq", "val": true}]'
        faulty(phone.get(MINE, query_string={"filter": both, "filter[is-read]": "true"}), 400, "filter")


class TestMark:
    def test_is_read_goes_both_ways_and_the_answer_shows_it(self, phone, device_of, enter):
        made = enter()
        for read in (True, True, False, True):
            answer = phone.mark(one(made), **{"is-read": read})
            assert answer.status_code == 200
            assert answer.json["data"] == phone.get(one(made)).json["data"]
            assert answer.json["data"]["attributes"]["is-read"] is read
        assert device_of("u1").get("/v1/me/notifications").json["notifications"][0]["status"] == "read"

    def test_a_change_of_nothing_changes_nothing(self, phone, enter, stored):
        made = enter()
        before = stored()
        assert phone.mark(one(made)).status_code == 200
        assert phone.patch(one(made), {"data": {"type": "notification", "id": made}}).status_code == 200
        assert stored() == before

    @pytest.mark.parametrize("name", ["title", "message", "received-at", "accept", "is_read", "user", "status", "$set"])
    def test_every_other_attribute_is_refused_and_pointed_to(self, phone, enter, stored, name):
        made = enter()
        before = stored()
        answer = phone.mark(one(made), **{"is-read": True, name: "x"})
        sources = [error["source"]["pointer"] for error in answer.json["errors"]]
        assert (answer.status_code, sources) == (422, [f"/data/attributes/{name}"])
        assert stored() == before

    @pytest.mark.parametrize("value", [None, 1, 0, "true", [], {}])
    def test_is_read_is_true_or_false(self, phone, enter, value):
        faulty(phone.mark(one(enter()), **{"is-read": value}), 422, "/data/attributes/is-read")

    def test_the_user_of_a_notification_cannot_be_changed(self, phone, enter, stored):
        made = enter()
        before = stored()
        theirs = {"user": {"data": {"type": "user", "id": "u2"}}}
        answer = phone.patch(one(made), change(made, {"is-read": True}, relationships=theirs))
        faulty(answer, 422, "/data/relationships/user")
        assert stored() == before

    @pytest.mark.parametrize(
        ("replaced", "pointers"),
        [
            ({"type": "user"}, ["/data/type"]),
            ({"id": "0" * 24 + ":u1"}, ["/data/id"]),
            ({"type": "notifications", "id": "x"}, ["/data/type", "/data/id"]),
        ],
    )
    def test_another_type_or_id_than_the_paths_is_a_conflict(self, phone, enter, stored, replaced, pointers):
        made = enter()
        before = stored()
        document = change(made, {"is-read": True})
        document["data"] |= replaced
        faulty(phone.patch(one(made), document), 409, *pointers)
        assert stored() == before

    def test_either_form_of_the_id_is_that_of_the_path(self, phone, enter):
        made = enter()
        plain = made.partition(":")[0]
        for path, identity in ((made, plain), (plain, made), (plain, plain)):
            assert phone.patch(one(path), change(identity, {"is-read": True})).status_code == 200

    def test_members_that_jsonapi_does_not_know_are_ignored(self, phone, enter):
        made = enter()
        document = change(made, {"is-read": True}, meta={"x": 1}, unheard=1) | {"jsonapi": {"version": "1.0"}, "x": 1}
        assert phone.patch(one(made), document).json["data"]["attributes"]["is-read"] is True

    def test_a_server_token_marks_nothing(self, server, enter, stored):
        made = enter()
        before = stored()
        faulty(server.mark(one(made), **{"is-read": True}), 401)
        assert stored() == before


class TestRefusals:
    @pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
    @pytest.mark.parametrize("path", [ALL, MINE, f"{ALL}/x", f"{ALL}/x/user", f"{ALL}/x/relationships/user"])
    def test_a_wrong_method_says_which_are_right(self, app, phone, method, path):
        if (method, path) == ("PATCH", f"{ALL}/x"):
            method = "COPY"
        answer = app.test_client().open(path, method=method, headers=phone._caller._headers)
        faulty(answer, 405)
        assert {"GET", "HEAD"} <= set(answer.headers["Allow"].split(", ")) <= {"GET", "HEAD", "PATCH"}

    def test_a_post_with_a_document_is_405(self, app, backend, stored):
        before = stored()
        answer = app.test_client().post(
            ALL, json=change("x", {"title": "t"}), content_type=MEDIA_TYPE, headers=backend._headers
        )
        faulty(answer, 405)
        assert stored() == before

    @pytest.mark.parametrize("path", ["/jsonapi", "/jsonapi/", "/jsonapi/x", "/jsonapi/users/u1", f"{ALL}/a/b/c"])
    def test_what_is_no_route_is_an_error_document_too(self, app, phone, path):
        faulty(app.test_client().get(path, headers=phone._caller._headers), 404)

    def test_a_path_with_an_impossible_user_is_refused(self, phone):
        faulty(phone.get("/jsonapi/users/%0a/notifications"), 422)


N = "6b007bddabf10665a8c867db"
ROUTES = {
    ("GET", ALL): Scope.READ,
    ("GET", MINE): (EITHER, Scope.READ),
    ("GET", f"{ALL}/{N}:u1"): (EITHER, Scope.READ),
    ("PATCH", f"{ALL}/{N}:u1"): EITHER,
    ("GET", f"{ALL}/{N}:u1/user"): (EITHER, Scope.USERS),
    ("GET", f"{ALL}/{N}:u1/relationships/user"): (EITHER, Scope.READ),
}


def takes(route, kind):
    needed = ROUTES[route]
    return kind in needed if isinstance(needed, tuple) else kind == needed
