"""Dimensions, and parts as they are added up."""

from hypothesis import given
from hypothesis import strategies as st

from notify_server.domain.statistics import (
    ALL,
    Dimension,
    Kind,
    Labels,
    Part,
    canonical,
    change,
    community_of,
    merged,
)
from tests.builders import NOON, after

TALLIES = st.dictionaries(st.sampled_from(["sent", "read", "read@5"]), st.integers(-5, 5))
PARTS = st.lists(
    st.builds(Part, st.sampled_from([NOON, after(900)]), st.sampled_from([None, "g"]), TALLIES), max_size=6
)


def test_the_whole_counts_everywhere_but_with_groups() -> None:
    assert list(Labels("news", "school").dimensions(None)) == [
        ALL,
        Dimension(Kind.CATEGORY, "news"),
        Dimension(Kind.COMMUNITY, "school"),
        Dimension(Kind.COMMUNITY, "school", "news"),
    ]
    assert list(Labels(None, None).dimensions(None)) == [ALL]


def test_the_part_of_a_group_counts_there_alone() -> None:
    assert list(Labels("news", "school").dimensions("g")) == [
        Dimension(Kind.GROUP, "g"),
        Dimension(Kind.GROUP, "g", "news"),
    ]
    assert list(Labels(None, "school").dimensions("g")) == [Dimension(Kind.GROUP, "g")]


def test_everything_of_a_category_is_that_category() -> None:
    category = Dimension(Kind.CATEGORY, "news")
    assert canonical(Dimension(Kind.ALL, "", "news")) == category
    assert canonical(Dimension(Kind.CATEGORY, "news", "news")) == category
    assert canonical(Dimension(Kind.CATEGORY, "news", "sport")) is None
    for kept in (ALL, category, Dimension(Kind.GROUP, "g", "news")):
        assert canonical(kept) == kept


def test_a_notification_belongs_to_its_community_or_else_to_the_only_one_of_its_audience() -> None:
    assert community_of("a", ["b"]) == "a"
    assert community_of(None, ["b"]) == "b"
    assert community_of(None, ["b", "c"]) is community_of(None, []) is None


@given(PARTS, PARTS)
def test_a_change_makes_the_new_out_of_the_old(new: list[Part], old: list[Part]) -> None:
    def by_place(parts: list[Part]) -> dict[object, object]:
        return {(part.quarter, part.group): part.tally for part in parts}

    assert by_place(merged([*old, *change(new, old)])) == by_place(merged(new))


def test_what_adds_up_to_nothing_is_left_out() -> None:
    assert merged([Part(NOON, None, {"sent": 2}), Part(NOON, None, {"sent": -2})]) == []
