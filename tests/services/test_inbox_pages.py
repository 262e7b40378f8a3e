import pytest

from notify_server.services.inbox import View
from notify_server.services.inbox_pages import Browsing, Listing, Order
from tests.services.scene import Scene


@pytest.fixture
def browsing(scene: Scene) -> Browsing:
    for user in "ab":
        scene.register(user)
    return scene.services.inbox_pages


def listed(browsing: Browsing, listing: Listing, number: int = 1, size: int = 99) -> list[str]:
    return [item.notification.id for item in browsing.page(listing, number, size).items]


@pytest.mark.parametrize("user", ["a", None])
def test_pages_put_together_are_the_list_whatever_its_order(scene: Scene, browsing: Browsing, user: str | None) -> None:
    made = [scene.accept("a") for _ in range(7)]
    scene.work()
    for identity in made[1:4]:
        scene.services.inbox.mark("a", identity, read=True)
    unread, read = [*made[:1], *made[4:]], made[1:4]
    for order, wanted in {
        Order(): made[::-1],
        Order(newest_first=False): made,
        Order(newest_first=False, read_first=True): read + unread,
        Order(newest_first=True, read_first=False): unread[::-1] + read[::-1],
    }.items():
        for size in (1, 2, 3, 7, 99):
            paged = [listed(browsing, Listing(user, View.ALL, order), number, size) for number in range(1, 9)]
            assert [identity for page in paged for identity in page] == wanted
            assert all(len(page) <= size for page in paged)


def test_a_list_counts_what_it_shows(scene: Scene, browsing: Browsing) -> None:
    made = [scene.accept("a", "b") for _ in range(3)]
    scene.work()
    scene.services.inbox.mark("a", made[0], read=True)
    for listing, count in (
        (Listing("a"), 3),
        (Listing("a", View.READ), 1),
        (Listing("a", View.UNREAD, Order(read_first=True)), 2),
        (Listing(None), 6),
        (Listing(None, View.UNREAD), 5),
        (Listing("nobody"), 0),
    ):
        page = browsing.page(listing, 1, 2)
        assert (page.count, len(page.items)) == (count, min(count, 2))


def test_what_was_cancelled_is_gone_at_once(scene: Scene, browsing: Browsing) -> None:
    kept, gone = scene.accept("a"), scene.accept("nobody-with-a-device")
    scene.work()
    scene.services.cancellation.cancel(gone)
    assert listed(browsing, Listing(None)) == [kept]


def test_users_are_found_where_they_exist(scene: Scene, browsing: Browsing) -> None:
    assert [user.id for user in browsing.users(["a", "nobody"])] == ["a"]
    assert browsing.users([]) == []
