from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify_server.domain.audience import Recipient, is_brief, merge_page, named_after, recipient
from notify_server.domain.notification import Audience
from notify_server.domain.registry import Reason
from notify_server.domain.user import User

ids = st.text(alphabet="abcé€😀", min_size=1, max_size=3)
sorted_ids = st.lists(ids, unique=True, max_size=12).map(lambda found: tuple(sorted(found)))
sizes = st.integers(1, 6)


def a_user(**fields: Any) -> User:
    return User(**({"id": "u1", "community": "school", "groups": ("choir", "football")} | fields))


@given(sorted_ids, sizes)
def test_pages_of_named_users_are_all_of_them_in_order(users: tuple[str, ...], size: int) -> None:
    walked: list[str] = []
    while page := named_after(Audience(users=users), walked[-1] if walked else "", size):
        assert len(page) <= size
        walked += page
    assert tuple(walked) == users


def test_a_page_begins_after_the_cursor_also_where_that_user_is_not_named() -> None:
    assert named_after(Audience(users=("a", "c", "e")), "b", 10) == ("c", "e")


@given(sorted_ids, sorted_ids, sizes)
def test_a_merged_page_is_the_beginning_of_both_lists_together_without_repeats(
    named: tuple[str, ...], members: tuple[str, ...], size: int
) -> None:
    whole = sorted({*named, *members})
    assert list(merge_page(named[:size], members[:size], size)) == whole[:size]


def test_a_user_addressed_by_name_and_by_two_groups_is_one_recipient_that_names_both() -> None:
    audience = Audience(users=("u1",), groups=("choir", "football", "chess"))
    assert recipient(a_user(), audience, None) == Recipient("u1", ("choir", "football"))


def test_groups_that_were_not_addressed_are_not_named() -> None:
    assert recipient(a_user(), Audience(groups=("choir",)), None).groups == ("choir",)
    assert recipient(a_user(), Audience(everyone=True), None).groups == ()


def test_a_muted_category_silences_even_what_is_addressed_by_name() -> None:
    audience = Audience(users=("u1",), groups=("choir",), everyone=True)
    muting = a_user(muted_categories=frozenset({"booking"}))
    assert recipient(muting, audience, "booking") == Recipient("u1", ("choir",), Reason.MUTED_CATEGORY)
    assert recipient(muting, audience, "invoice").suppressed is None
    assert recipient(muting, audience, None).suppressed is None


MUTING_CHOIR = {"muted_groups": frozenset({"choir"})}


def test_a_muted_group_silences_what_comes_through_it_alone() -> None:
    assert recipient(a_user(**MUTING_CHOIR), Audience(groups=("choir",)), None).suppressed is Reason.MUTED_GROUP


@pytest.mark.parametrize(
    "audience",
    [
        Audience(groups=("choir", "football")),
        Audience(groups=("choir",), users=("u0", "u1", "u2")),
        Audience(groups=("choir",), communities=("school",)),
        Audience(groups=("choir",), everyone=True),
    ],
    ids=["another group", "by name", "community", "everyone"],
)
def test_a_muted_group_silences_nothing_that_also_comes_another_way(audience: Audience) -> None:
    assert recipient(a_user(**MUTING_CHOIR), audience, None).suppressed is None


@pytest.mark.parametrize(
    "audience",
    [
        Audience(groups=("choir",), users=("u0", "u2")),
        Audience(groups=("choir",), communities=("university",)),
        Audience(groups=("choir", "chess")),
    ],
    ids=["others by name", "another community", "a group of others"],
)
def test_ways_that_do_not_reach_the_user_do_not_lift_the_muting(audience: Audience) -> None:
    assert recipient(a_user(**MUTING_CHOIR), audience, None).suppressed is Reason.MUTED_GROUP


def test_a_user_without_community_is_in_none() -> None:
    user = a_user(community=None, **MUTING_CHOIR)
    assert recipient(user, Audience(groups=("choir",)), None).suppressed is Reason.MUTED_GROUP


def test_a_muted_group_that_is_not_addressed_silences_nothing() -> None:
    assert recipient(a_user(**MUTING_CHOIR), Audience(groups=("football",)), None).suppressed is None


def test_one_who_left_every_group_after_the_page_was_fixed_is_a_recipient_through_none() -> None:
    assert recipient(a_user(groups=()), Audience(groups=("choir",)), None) == Recipient("u1")


@pytest.mark.parametrize(
    ("audience", "brief"),
    [
        (Audience(("u1",)), True),
        (Audience(tuple(f"u{n:03}" for n in range(499))), True),
        (Audience(tuple(f"u{n:03}" for n in range(500))), False),
        (Audience(("u1",), groups=("g",)), False),
        (Audience(("u1",), communities=("c",)), False),
        (Audience(("u1",), everyone=True), False),
        (Audience(), False),
    ],
)
def test_an_audience_is_brief_when_it_names_less_than_a_page_of_users_and_nothing_else(
    audience: Audience, brief: bool
) -> None:
    assert is_brief(audience) is brief


@pytest.mark.parametrize(
    ("audience", "muting"),
    [
        (Audience(users=("u1",)), {"muted_categories": frozenset({"booking"})}),
        (Audience(groups=("choir",)), MUTING_CHOIR),
    ],
    ids=["category", "group"],
)
def test_what_is_mandatory_overrides_a_muting_and_says_so(audience: Audience, muting: dict[str, Any]) -> None:
    found = recipient(a_user(**muting), audience, "booking", mandatory=True)
    assert (found.suppressed, found.overridden) == (None, True)


def test_what_is_mandatory_overrides_nothing_where_nothing_is_muted() -> None:
    found = recipient(a_user(), Audience(users=("u1",)), "booking", mandatory=True)
    assert (found.suppressed, found.overridden) == (None, False)
