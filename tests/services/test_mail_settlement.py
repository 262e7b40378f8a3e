"""What is written of mails that were sent, or were not: entries, batches, and whom to mail no more."""

import pytest

from notify_server.domain.mail import Answer, Service
from notify_server.domain.mailing import WITHOUT_ADDRESS
from notify_server.domain.notification import Channel
from notify_server.domain.outcome import ACCEPTED, Kind, Outcome
from notify_server.domain.registry import Reason
from notify_server.services.mail_settlement import Hand, MailSettlement
from notify_server.services.mail_sorting import Parcel
from notify_server.storage.batches import Batches
from notify_server.storage.blocked_addresses import BlockedAddresses
from tests.services.scene import LEASE, Scene

SENT = Answer(ACCEPTED)
DEAD = Answer(Outcome(Kind.TARGET_DEAD, Reason.BAD_ADDRESS), "550 5.1.1")
LATER = Answer(Outcome(Kind.RETRY, Reason.DEFERRED), "451")


@pytest.fixture
def settlement(scene: Scene) -> MailSettlement:
    return scene.engine.mailing._settlement


def in_hand(scene: Scene, **answers: Answer | None) -> tuple[str, Parcel, Hand]:
    """A batch to users of these names, and what was said of their mails; None: nothing."""
    scene.address(*(user for user, answer in answers.items() if answer is not WITHOUT_ADDRESS))
    notification = scene.accept(*answers, channels=(Channel.EMAIL,))
    scene.expand()
    load = scene.engine.leasing.take(channel=Channel.EMAIL)
    [parcel] = scene.engine.mailing._sorting.sort(load, Service.SMTP, scene.clock())
    parcel.answers.update({user: answer for user, answer in answers.items() if answer is not None})
    hand = Hand(parcel.batch, list(parcel.batch.users), scene.clock())
    hand.add(parcel)
    return notification, parcel, hand


def test_entries_move_and_who_is_left_or_comes_again_is_queued(scene: Scene, settlement: MailSettlement) -> None:
    notification, parcel, hand = in_hand(scene, a=SENT, b=DEAD, c=LATER, d=None)
    assert hand.left == ["d"]
    settlement.write([parcel])
    assert scene.standing(notification) == {
        "a": ("sent", None),
        "b": ("failed", "bad_address"),
        "c": ("pending", "deferred"),
        "d": ("pending", None),
    }
    settlement.settle([hand])
    assert [(batch["users"], batch["owner"], batch["attempt"]) for batch in scene.batches(notification)] == [
        (["d"], None, 0),
        (["c"], None, 1),
    ]
    assert BlockedAddresses(scene.database).among(["b@example.org"]) == {"b@example.org": "bad_address 550 5.1.1"}


def test_a_batch_of_which_nothing_is_left_goes(scene: Scene, settlement: MailSettlement) -> None:
    notification, parcel, hand = in_hand(scene, a=SENT)
    settlement.write([parcel])
    settlement.settle([hand])
    assert scene.batches(notification) == []


def test_what_was_called_meanwhile_is_seen_through_once_more(scene: Scene, settlement: MailSettlement) -> None:
    notification, parcel, hand = in_hand(scene, a=SENT)
    settlement.write([parcel])
    Batches(scene.database).call(parcel.batch)
    settlement.settle([hand])
    [batch] = scene.batches(notification)
    assert (batch["users"], batch["owner"]) == (["a"], None)


def test_what_another_has_taken_over_is_left_to_it(scene: Scene, settlement: MailSettlement) -> None:
    notification, _, hand = in_hand(scene, a=None)
    scene.clock.forward(LEASE + 1)
    other = scene.worker()
    assert other.leasing.take(channel=Channel.EMAIL)
    settlement.settle([hand])
    assert scene.batches(notification)[0]["owner"] == other.leasing.holder.owner


def test_an_address_that_came_while_it_was_missed_is_queued(scene: Scene, settlement: MailSettlement) -> None:
    notification, parcel, hand = in_hand(scene, late=WITHOUT_ADDRESS)
    scene.address("late")
    settlement.write([parcel])
    settlement.settle([hand])
    assert [batch["users"] for batch in scene.batches(notification)] == [["late"]]
