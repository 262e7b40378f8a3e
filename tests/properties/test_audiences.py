"""Walking an audience page by page, as members come and go, and what muting does to a recipient."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from notify_server.domain.audience import merge_page, named_after, recipient
from notify_server.domain.notification import Audience
from notify_server.domain.registry import Reason
from notify_server.domain.user import User

ids = st.sampled_from([f"{letter}{number}" for letter in "abéz😀" for number in range(4)])
crowds = st.sets(ids, max_size=12)
sizes = st.integers(1, 5)
groups = st.sets(st.sampled_from(["chess", "choir", "football"]))
communities = st.none() | st.sampled_from(["club", "school"])


@settings(deadline=None)
@given(crowds, st.lists(crowds, min_size=1, max_size=12), sizes)
def test_a_walk_meets_everybody_who_stays_once_though_members_come_and_go(
    named: set[str], changing: list[set[str]], size: int
) -> None:
    audience, cursor = Audience(tuple(sorted(named))), ""
    walked: list[str] = []
    met = [set(changing[0])]
    for turn in range(100):
        members = changing[min(turn, len(changing) - 1)]
        met.append(members)
        after = sorted(member for member in members if member > cursor)[:size]
        page = merge_page(named_after(audience, cursor, size), after, size)
        walked += page
        if len(page) < size:
            break
        cursor = page[-1]
    assert all(one < other for one, other in pairwise(walked))
    assert named | set.intersection(*met) <= set(walked) <= named | set.union(*met)


@st.composite
def reached(draw: st.DrawFn) -> tuple[User, Audience]:
    """Any user and any audience."""
    user = User(
        draw(ids),
        draw(communities),
        tuple(draw(groups)),
        muted_groups=frozenset(draw(groups)),
        muted_categories=frozenset(draw(st.sets(st.just("booking")))),
    )
    audience = Audience(
        tuple(sorted(draw(crowds))),
        tuple(draw(groups)),
        tuple(draw(st.sets(st.sampled_from(["club", "school"])))),
        draw(st.booleans()),
    )
    return user, audience


categories = st.sampled_from([None, "booking", "invoice"])


@settings(deadline=None)
@given(reached(), categories)
def test_a_recipient_names_the_addressed_groups_that_they_are_in_and_no_others(
    pair: tuple[User, Audience], category: str | None
) -> None:
    user, audience = pair
    found = recipient(user, audience, category)
    assert found.user == user.id
    assert found.groups == tuple(sorted(group for group in user.groups if group in audience.groups))


@settings(deadline=None)
@given(reached(), categories)
def test_nobody_is_suppressed_who_has_muted_nothing_that_reached_them(
    pair: tuple[User, Audience], category: str | None
) -> None:
    user, audience = pair
    found = recipient(user, audience, category)
    if found.suppressed is Reason.MUTED_CATEGORY:
        assert category in user.muted_categories
    elif found.suppressed is Reason.MUTED_GROUP:
        assert found.groups
        assert set(found.groups) <= user.muted_groups
        assert user.id not in audience.users
    else:
        assert category not in user.muted_categories


@settings(deadline=None)
@given(reached(), groups, categories)
def test_muting_more_never_brings_more(pair: tuple[User, Audience], more: set[str], category: str | None) -> None:
    user, audience = pair
    muting = User(
        user.id,
        user.community,
        user.groups,
        muted_groups=user.muted_groups | more,
        muted_categories=user.muted_categories,
    )
    if recipient(user, audience, category).suppressed is not None:
        assert recipient(muting, audience, category).suppressed is not None


@settings(deadline=None)
@given(reached(), crowds, st.booleans(), categories)
def test_addressing_more_never_brings_less(
    pair: tuple[User, Audience], more: set[str], everyone: bool, category: str | None
) -> None:
    user, audience = pair
    wider = Audience(
        tuple(sorted({*audience.users, *more})), audience.groups, audience.communities, audience.everyone or everyone
    )
    if recipient(user, audience, category).suppressed is None:
        assert recipient(user, wider, category).suppressed is None
