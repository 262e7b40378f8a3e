import pytest

from notify_server.domain.mail import mail_id
from notify_server.domain.texts import Mail
from notify_server.domain.user_fields import UserField, mark
from notify_server.errors import NotFound
from notify_server.services.mail_log import MailLog
from notify_server.storage.blocked_addresses import BlockedAddresses
from notify_server.storage.mail_pages import MailPages
from notify_server.storage.mails import Mails, content_id
from notify_server.storage.users import Users
from tests.builders import NOON, after
from tests.storage.test_mails import N, a_mail


def a_log(database):
    return MailLog(MailPages(database), Mails(database), BlockedAddresses(database), Users(database))


def test_a_mail_is_shown_with_its_message_as_long_as_that_is_kept(database):
    log, said = a_log(database), Mail("s", "t")
    Mails(database).say([(content_id(N, said), said)], after(60))
    Mails(database).enter([a_mail("a", content=content_id(N, said))])
    shown = log.get(mail_id(N, "a"))
    assert (shown.record.user, shown.message) == ("a", said)
    assert [record.user for record in log.page({"recipient": "a"}, None, 9)] == ["a"]
    database["mail_contents"].delete_many({})
    assert log.get(mail_id(N, "a")).message is None
    with pytest.raises(NotFound):
        log.get("nothing")
    assert not log.allow("a@example.org")


def test_fields_of_its_reader_are_filled_in_when_it_is_read(database):
    """Stored once for all; the address is the one that it went to."""
    shown = {field: mark(field) for field in UserField}
    said = Mail(f"s {shown[UserField.ID]}", f"t {shown[UserField.EMAIL]} {shown[UserField.LOCALE]}", "<p></p>")
    name = content_id(N, said)
    Mails(database).say([(name, said)], after(60))
    Mails(database).enter([a_mail(user, content=name, address=f"{user}@example.org") for user in ("a", "b&")])
    Users(database).put("a", {"locale": "de", "email": "new@example.org"}, NOON)
    assert a_log(database).get(mail_id(N, "a")).message == Mail("s a", "t a@example.org de", "<p></p>")
    assert a_log(database).get(mail_id(N, "b&")).message == Mail("s b&", "t b&@example.org ", "<p></p>")
