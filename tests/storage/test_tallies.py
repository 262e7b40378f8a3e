from collections.abc import Callable, Sequence

import pytest

from notify_server.domain.statistics import Part
from notify_server.storage.documents import Store, new_id
from notify_server.storage.tallies import ERASED, Chunk, Tallies
from tests.builders import NOON, after
from tests.profile import profiled

PART = Part(NOON, None, {"sent": 2})


@pytest.fixture
def tallies(database: Store) -> Tallies:
    return Tallies(database)


@pytest.fixture
def replace(tallies: Tallies, database: Store) -> Callable[[Sequence[Chunk]], None]:
    def call(chunks: Sequence[Chunk]) -> None:
        with database.client.start_session() as session, session.start_transaction():
            tallies.replace(chunks, session)

    return call


def chunk(name: str, number: int = 0, after_user: str = "", to: str | None = None, *parts: Part) -> Chunk:
    return Chunk(name, number, after_user, to, list(parts or [PART]), NOON)


def test_chunks_come_back_as_they_were_in_their_order(tallies: Tallies, replace: Callable[..., None]) -> None:
    one, other = new_id(), new_id()
    made = [
        chunk(one, ERASED),
        chunk(one, 0, "", "m"),
        chunk(one, 1, "m", None, PART, Part(after(900), "g", {"read": 1})),
    ]
    replace([*reversed(made), chunk(other)])
    assert tallies.of([one, new_id()])[one] == made
    assert tallies.of([]) == {}
    assert tallies.parts(one) == [part for each in made for part in each.parts]
    assert tallies.among([(one, 1), (other, 0), (other, 1)]) == {(one, 1): made[2], (other, 0): chunk(other)}


def test_a_replaced_chunk_is_another_one_and_one_without_anything_goes(
    tallies: Tallies, replace: Callable[..., None]
) -> None:
    name = new_id()
    replace([chunk(name)])
    replace([Chunk(name, 0, "", None, [Part(NOON, None, {"read": 1})], after(9))])
    assert tallies.parts(name) == [Part(NOON, None, {"read": 1})]
    replace([Chunk(name, 0, "", None, [], after(9))])
    assert tallies.of([name]) == {name: []}
    replace([Chunk(name, 0, "", "m", [], after(9))])
    assert tallies.of([name])[name][0].to == "m"


def test_of_many_brief_notifications_keys_are_looked_up_and_of_large_ones_ranges(
    tallies: Tallies, replace: Callable[..., None], database: Store
) -> None:
    brief, (large,) = [new_id() for _ in range(300)], [new_id()]
    chunks = [chunk(large, number, f"u{number}", f"u{number + 1}") for number in range(3)]
    replace([*(chunk(name) for name in brief), *chunks])
    with profiled(database, "tallies") as asked:
        found = tallies.of([*brief, large])
    assert [len(each) for each in found.values()] == [1] * 300 + [3]
    assert [each.number for each in found[large]] == [0, 1, 2]
    filters = [query["command"]["filter"] for query in asked if query["op"] == "query"]
    assert [len(each.get("$or", ())) for each in filters] == [0, 1], "no range for each that has one chunk"


def test_pages_go_on_after_a_chunk(tallies: Tallies, replace: Callable[..., None]) -> None:
    names = sorted(new_id() for _ in range(3))
    replace([chunk(name, number, str(number), "x") for name in names for number in (0, 1)])
    seen = [(each.notification, each.number) for each in tallies.page(None, 4)]
    seen += [(each.notification, each.number) for each in tallies.page(seen[-1], 4)]
    assert seen == [(name, number) for name in names for number in (0, 1)]


def test_all_chunks_of_a_notification_are_removed_or_one_of_them(
    tallies: Tallies, replace: Callable[..., None], database: Store
) -> None:
    one, other = new_id(), new_id()
    replace([chunk(one, ERASED), chunk(one), chunk(other, ERASED), chunk(other)])
    with database.client.start_session() as session, session.start_transaction():
        tallies.remove([one], session)
        tallies.remove([], session)
    assert [each.notification for each in tallies.page(None, 9)] == [other, other]
    tallies.drop(chunk(other))
    assert [each.number for each in tallies.page(None, 9)] == [ERASED]


def test_of_several_chunks_one_holds_a_user(tallies: Tallies, replace: Callable[..., None]) -> None:
    large, brief = new_id(), new_id()
    bounds = [("", "d"), ("d", "m"), ("m", None)]
    replace([chunk(large, number, *each) for number, each in enumerate(bounds)] + [chunk(large, ERASED), chunk(brief)])
    users = ("a", "d", "e", "m", "z")
    assert [tallies.holding(user, [large, brief, new_id()]) for user in users] == [
        {large: number} for number in (0, 0, 1, 1, 2)
    ]
    assert tallies.holding("a", []) == {}


def test_a_proof_sees_the_chunks_that_should_not_be_there(tallies: Tallies, replace: Callable[..., None]) -> None:
    name, other = new_id(), new_id()
    made = [chunk(name), chunk(name, 7)]
    replace([*made, chunk(other)])
    assert tallies.whole([name, other]) == {name: made, other: [chunk(other)]}
    assert tallies.parts(name) == [PART, PART]
    assert tallies.whole([]) == {}
