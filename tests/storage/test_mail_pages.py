import pytest

from notify_server.domain.registry import Status
from notify_server.storage.documents import new_id
from notify_server.storage.mail_pages import MailPages
from notify_server.storage.mails import Mails
from tests.builders import after
from tests.storage.test_mails import a_mail


@pytest.fixture
def pages(database):
    for number in range(5):
        notification = new_id(after(number * 60))
        status = Status.SENT if number % 2 else Status.PENDING
        Mails(database).enter([a_mail(f"u{number % 2}", notification, status=status, action=f"act{number % 3}")])
    return MailPages(database)


def users(found):
    return [record.user for record in found]


def test_the_newest_notifications_come_first_page_by_page(pages):
    first = pages.page({}, None, 3)
    rest = pages.page({}, first[-1].id, 3)
    ids = [record.id for record in (*first, *rest)]
    assert len(ids) == 5
    assert ids == sorted(ids, reverse=True)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"recipient": "u1"}, 2),
        ({"action": "act0"}, 2),
        ({"status": "pending"}, 3),
        ({"from": after(60)}, 4),
        ({"to": after(60)}, 1),
        ({"from": after(60), "to": after(180), "recipient": "u1"}, 1),
        ({"recipient": None, "status": None}, 5),
    ],
)
def test_filters_narrow(pages, filters, expected):
    found = pages.page(filters, None, 9)
    assert len(found) == expected
    assert len(pages.page(filters, found[0].id, 9)) == expected - 1
