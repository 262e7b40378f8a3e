import pytest

from notify_server.domain.mail import mail_id
from notify_server.domain.registry import Reason, Status
from notify_server.domain.texts import Mail
from notify_server.storage.blocked_addresses import BlockedAddresses
from notify_server.storage.documents import new_id
from notify_server.storage.mails import Mails, content_id
from tests.api.caller import refused
from tests.builders import NOON, after
from tests.storage.test_mails import a_mail

PATH = "/v1/mails"
N = new_id(NOON)
SAID = Mail("Hello", "text", "<p>html</p>")


@pytest.fixture
def mails(database):
    made = Mails(database)
    made.say([(content_id(N, SAID), SAID)], after(60))
    made.enter(
        [
            a_mail("a", N, address="a@example.org", subject="Hello", content=content_id(N, SAID), action="ticket"),
            a_mail("b", N, status=Status.FAILED, reason=Reason.BAD_ADDRESS, detail="550 5.1.1"),
            a_mail("c", new_id(after(600)), status=Status.SENT, content="gone"),
        ]
    )
    return made


def test_mails_are_listed_page_by_page(backend, mails):
    first = backend.get(f"{PATH}?limit=2").json
    second = backend.get(f"{PATH}?limit=2&cursor={first['next']}").json
    assert [mail["recipient"] for mail in first["mails"]][:1] == ["c"]
    assert {mail["recipient"] for mail in (*first["mails"], *second["mails"])} == {"a", "b", "c"}
    assert second["next"] is None


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("recipient=a", {"a"}),
        ("action=ticket", {"a"}),
        ("status=failed", {"b"}),
        ("status=pending", {"a"}),
        ("from=2026-11-20T12:05:00Z", {"c"}),
        ("to=2026-11-20T12:05:00Z", {"a", "b"}),
        ("recipient=nobody", set()),
    ],
)
def test_filters_narrow(backend, mails, query, expected):
    assert {mail["recipient"] for mail in backend.get(f"{PATH}?{query}").json["mails"]} == expected


def test_one_mail_is_shown_with_its_message_and_what_became_of_it(backend, mails):
    shown = backend.get(f"{PATH}/{mail_id(N, 'a')}").json
    assert shown["message"] == {"subject": "Hello", "text": "text", "html": "<p>html</p>"}
    assert (shown["recipient"], shown["address"], shown["action"]) == ("a", "a@example.org", "ticket")
    failed = backend.get(f"{PATH}/{mail_id(N, 'b')}").json
    assert (failed["status"], failed["reason"], failed["detail"]) == ("failed", "bad_address", "550 5.1.1")
    assert failed["message"] is None


def test_what_is_not_there_is_not_found_and_bad_queries_are_named(backend, mails):
    refused(backend.get(f"{PATH}/nothing"), 404)
    refused(backend.get(f"{PATH}?status=lost"), 422, "status")
    refused(backend.get(f"{PATH}?cursor=!"), 422, "cursor")
    refused(backend.get(f"{PATH}?address=a@example.org"), 422, "address")


def test_a_blocked_address_can_be_allowed_again(backend, database):
    BlockedAddresses(database).block("a@example.org", Reason.BOUNCED, None, NOON)
    assert backend.post(f"{PATH}/allow", {"address": "A@example.org"}).json == {"allowed": True}
    assert backend.post(f"{PATH}/allow", {"address": "a@example.org"}).json == {"allowed": False}
    refused(backend.post(f"{PATH}/allow", {"address": "nobody"}), 422, "address")
