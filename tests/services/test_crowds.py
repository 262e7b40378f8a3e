import pytest

from notify_server.domain.batch import Rank
from notify_server.services.crowds import Crowds
from notify_server.services.load import Page
from tests.builders import a_batch


@pytest.mark.parametrize("rank", Rank)
def test_a_load_of_a_large_audience_counts_while_it_is_seen_through(rank: Rank) -> None:
    crowds = Crowds()
    with crowds.counting([Page(a_batch(None, "a", rank=rank))]):
        assert bool(crowds) is not rank.small
    assert not crowds


def test_one_that_fails_counts_no_longer() -> None:
    crowds, crowd = Crowds(), [Page(a_batch(None, "a", rank=Rank.BULK))]
    with crowds.counting(crowd):
        with pytest.raises(ValueError, match="broken"), crowds.counting(crowd):
            raise ValueError("broken")
        assert crowds
    assert not crowds


def test_what_is_small_counts_with_a_crowd_beside_it_in_one_load() -> None:
    crowds = Crowds()
    with crowds.counting([Page(a_batch(None, "a", rank=rank)) for rank in (Rank.URGENT, Rank.HIGH)]):
        assert crowds
