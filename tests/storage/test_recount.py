from collections.abc import Sequence
from datetime import datetime
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify_server.domain.registry import Reason, Status
from notify_server.domain.statistics import Part, merged
from notify_server.storage.documents import Document, Store, entry_id, new_id, object_id
from notify_server.storage.recount import FIELDS, Recount, parts_of
from tests.builders import NOON, after

SECONDS = st.one_of(st.none(), st.floats(0, 10**7))
DETAILS = (
    None, "device phone", "attempt 2: accepted for 1 of 1 devices", "attempt 1: unregistered", "attempt 1: unavailable",
    "payload_rejected", "emitted to an open socket", "mail, attempt 1: accepted (250)", "mail, attempt 3: bad_address",
    "mail, attempt 1: deferred", "mail: mail_disabled", "mail: no address; waits for one until it expires",
    "mail delivered to the recipient's server", "mail opened", "mail bounced (5.1.1)", "not a mail opened",
)  # fmt: skip
WAYS = st.fixed_dictionaries({}, optional={"over": st.just([]) | st.just(["email"]), "sequence": st.integers(1, 9)})
FATES = st.tuples(
    st.sampled_from(Status),
    st.sampled_from([None, *Reason]),
    st.lists(st.sampled_from("abc")),
    SECONDS,
    SECONDS,
    WAYS,
    st.lists(st.sampled_from(DETAILS), max_size=4),
)


def entry(
    name: str, user: str, fate: tuple[Any, ...] = (Status.SENT, None, [], None, None), at: datetime = NOON
) -> Any:
    """An entry as it is stored, as far as it counts.

    `fate`: status, reason, groups, seconds to received and read; and maybe fields of other channels than push, and
    details of its history.
    """
    status, reason, groups, received, read, *more = fate
    ways, details = more or ({}, [None])

    def time(seconds: float | None) -> datetime | None:
        made = None if seconds is None else after(seconds) + (at - NOON)
        return made and made.replace(microsecond=made.microsecond // 1000 * 1000)

    times = {"received_at": time(received), "read_at": time(read)}
    told = {"status": status.value, "reason": reason and reason.value, "groups": groups}
    lines = [{"status": status.value, "at": after(99), "detail": detail} for detail in details]
    history = [{"status": "pending", "at": at, "detail": None}, *lines]
    return {"_id": entry_id(object_id(name), user), **told, **times, **ways, "history": history}


def sorted_parts(parts: Sequence[Part]) -> list[Part]:
    return sorted(parts, key=lambda part: (part.quarter, part.group or ""))


@pytest.fixture
def recount(database: Store) -> Recount:
    return Recount(database)


def test_alike_entries_are_one_part_for_all_and_one_for_each_group(recount: Recount, database: Store) -> None:
    name = new_id()
    groups = [["chess", "golf"], ["chess"], []]
    database["registry"].insert_many(
        [entry(name, f"u{number}", (Status.SENT, None, each, None, None)) for number, each in enumerate(groups)]
    )
    assert sorted_parts(recount.of([name])[name]) == [
        Part(NOON, None, {"sent": 3}),
        Part(NOON, "chess", {"sent": 2}),
        Part(NOON, "golf", {"sent": 1}),
    ]


def test_what_goes_by_other_channels_counts_for_each_and_push_alone_for_none(recount: Recount, database: Store) -> None:
    name = new_id()
    details = ["attempt 1: accepted for 1 of 1 devices", "mail, attempt 1: accepted", "mail opened", "mail opened"]
    for number, ways in enumerate(({}, {"over": []}, {"sequence": 7})):
        fate = (Status.READ, None, [], None, None, ways, details)
        database["registry"].insert_one(entry(name, f"u{number}", fate))
    [part] = recount.of([name])[name]
    assert part.tally == {
        "read": 3, "push/sent": 2, "email/sent": 2, "email/received": 2, "email/read": 2, "beside/sent": 2,
    }  # fmt: skip


def test_a_quarter_begins_at_its_minute(recount: Recount, database: Store) -> None:
    name = new_id()
    for number, seconds in enumerate((0, 899.999, 900)):
        database["registry"].insert_one(entry(name, f"u{number}", at=after(seconds)))
    assert sorted_parts(recount.of([name])[name]) == [
        Part(NOON, None, {"sent": 2}),
        Part(after(900), None, {"sent": 1}),
    ]


@given(st.lists(FATES, max_size=12))
def test_mongodb_adds_up_what_the_rules_say(shared_database: Store, fates: list[tuple[Any, ...]]) -> None:
    name, all_entries = new_id(), shared_database["registry"]
    entries = [entry(name, f"u{number:02}", fate, after(400 * number)) for number, fate in enumerate(fates)]
    if entries:
        all_entries.insert_many(entries)
    recount = Recount(shared_database)
    found: Sequence[Document] = list(all_entries.find({"_id.n": object_id(name)}, dict.fromkeys(FIELDS, 1)))
    expected = sorted_parts(parts_of(found))
    assert sorted_parts(recount.of([name, new_id()])[name]) == expected
    assert sorted_parts(recount.between(name, "", None)) == expected
    halves = [*recount.between(name, "", "u05"), *recount.between(name, "u05", None)]
    assert sorted_parts(merged(halves)) == expected


def test_a_boundary_has_so_many_users_before_it_and_somebody_after(recount: Recount, database: Store) -> None:
    one, other = sorted((new_id(), new_id()))
    database["registry"].insert_many([entry(n, f"u{number}") for n, number in product((one, other), range(5))])
    assert recount.boundary(one, "", 2) == "u1"
    assert recount.boundary(one, "u1", 2) == "u3"
    assert recount.boundary(one, "u3", 2) is recount.boundary(one, "", 5) is recount.boundary(one, "u9", 1) is None
    assert [part.tally for part in recount.between(one, "u1", "u3")] == [{"sent": 2}]


def test_of_nothing_there_are_no_parts(recount: Recount) -> None:
    assert recount.of([]) == {}
    assert recount.between(new_id(), "", None) == []
