from notify_server.services.mail_upkeep import MailUpkeep
from notify_server.storage.mails import Mails
from tests.builders import StoppedClock, after
from tests.storage.test_mails import a_mail


def test_mails_expire_when_their_time_is_over(database):
    clock = StoppedClock()
    upkeep = MailUpkeep(Mails(database), clock)
    Mails(database).enter([a_mail("a", expires_at=after(60))])
    assert upkeep.expire_mails() == 0
    clock.forward(60)
    assert upkeep.expire_mails() == 1
    assert upkeep.expire_mails() == 0
