import pytest

from notify_server.domain.mail import mail_id
from notify_server.domain.texts import Mail
from notify_server.errors import NotFound
from notify_server.services.mail_log import MailLog
from notify_server.storage.blocked_addresses import BlockedAddresses
from notify_server.storage.mail_pages import MailPages
from notify_server.storage.mails import Mails, content_id
from tests.builders import after
from tests.storage.test_mails import N, a_mail


def test_a_mail_is_shown_with_its_message_as_long_as_that_is_kept(database):
    log, said = MailLog(MailPages(database), Mails(database), BlockedAddresses(database)), Mail("s", "t")
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
