from notify_server.domain.notification import Channel
from notify_server.domain.registry import Reason
from notify_server.services.addressing import AwaitedMail
from notify_server.storage.batches import Batches
from notify_server.storage.mails import Mails
from notify_server.storage.signals import Signals
from tests.builders import NOON, after
from tests.storage.test_mails import N, a_mail


def test_what_waits_for_an_address_is_queued_once(database):
    Mails(database).enter([a_mail("a", reason=Reason.NO_ADDRESS), a_mail("b", reason=Reason.DEFERRED)])
    awaited = AwaitedMail(Mails(database), Batches(database), Signals(database))
    for user in ("a", "a", "b"):
        awaited.serve(user, NOON)
    [batch] = Batches(database).lease(Channel.EMAIL, "one", NOON, after(30))
    assert (batch.key.notification, batch.users, batch.calls) == (N, ("a",), 1)
    assert batch.is_awaited
