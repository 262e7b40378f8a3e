"""Batches end to end: from the lease over real HTTP/2 to the registry, whatever happens meanwhile."""

import time
from collections import Counter
from dataclasses import replace
from itertools import count

import pytest

from notify_server.channels.fcm.answer import CREDENTIAL_REFUSED
from notify_server.channels.fcm.transport import open_transport
from notify_server.domain.batch import Rank
from notify_server.domain.notification import Channel, Message, ResendPolicy
from notify_server.domain.registry import Status
from notify_server.services.load import Load
from notify_server.services.reception import Report
from notify_server.storage.batches import Batches
from notify_server.storage.documents import object_id
from notify_server.storage.notifications import Notifications
from notify_server.storage.paces import Paces
from tests.builders import a_batch, a_notification, after, at_once
from tests.counted import COUNTED
from tests.service import until
from tests.services.interruption import Interrupted, Killed, die
from tests.services.scene import LEASE, Scene, claims

ONCE = ResendPolicy(times=0)
DEBT = 10**12  # messages: more than are paid for in the time of any test


@pytest.fixture
def people(scene: Scene) -> Scene:
    """Users a, b and c, each with a phone."""
    for user in "abc":
        scene.register(user)
    return scene


def taken(scene: Scene, notification: str, *users: str) -> Load:
    """The leased batch of a notification that is expanded."""
    [page] = scene.expand()
    assert page.batch.key.notification == notification
    assert page.recipients == users
    return [page]


def test_each_answer_of_fcm_ends_in_its_status_and_reason(scene: Scene) -> None:
    faults = {
        "unavailable": ("pending", "unavailable", 1),
        "internal": ("pending", "unavailable", 1),
        "quota": ("pending", "quota_exceeded", 0),
        "third_party_auth": ("pending", "provider_credential", 0),
        "unregistered": ("failed", "unregistered", 1),
        "sender_id_mismatch": ("failed", "sender_mismatch", 1),
        "invalid_argument": ("failed", "invalid_target", 1),
    }
    scene.fcm.behave(prefixes={f"{fault}:": {fault: 1} for fault in faults})
    for user in (*faults, "accepted"):
        scene.register(user)
    notification = scene.accept(*faults, "accepted", "without device")
    scene.work()
    expected = faults | {"accepted": ("sent", None, 1), "without device": ("pending", "no_device", 0)}
    entries = {user: scene.entry(notification, user) for user in expected}
    assert {user: (entry["status"], entry["reason"], entry["attempts"]) for user, entry in entries.items()} == expected
    active = {user for user in faults for device in scene.services.enrolment.listed(user) if device.active}
    assert active == {"unavailable", "internal", "quota", "third_party_auth"}
    assert scene.violations(notification) == []


def test_a_connection_that_breaks_leaves_the_recipient_to_be_tried_again(people: Scene) -> None:
    people.fcm.behave(drop_after=1, drop="stream")
    notification = people.accept("a")
    people.work()
    assert people.standing(notification) == {"a": ("pending", "connection_lost")}
    people.fcm.behave()
    people.clock.forward(15)
    people.work()
    assert people.standing(notification) == {"a": ("sent", None)}
    assert people.accepted() == ["a:phone", "a:phone"]
    assert people.violations(notification) == []


def test_a_refused_credential_costs_nobody_an_attempt_and_the_recipients_wait(people: Scene) -> None:
    people.fcm.behave(unauthenticated=1)
    transport = open_transport(people.config)
    notification = people.accept("a", "b")
    people.work(people.worker(transport=transport))
    transport.close()
    assert people.standing(notification) == dict.fromkeys("ab", ("pending", "credential_refused"))
    assert people.entry(notification, "a")["attempts"] == 0
    people.fcm.behave()
    people.clock.forward(60)
    people.work()
    assert people.standing(notification) == dict.fromkeys("ab", ("sent", None))
    assert people.entry(notification, "a")["attempts"] == 1


def test_what_failed_for_now_is_tried_after_its_backoff_and_not_before(people: Scene) -> None:
    people.fcm.behave(unavailable=1)
    notification = people.accept("a")
    people.work()
    people.clock.forward(9.9)
    people.work()
    assert people.fcm.counts()["requests"] == 1
    people.clock.forward(5.1)
    people.work()
    assert people.fcm.counts()["requests"] == 2
    people.fcm.behave()
    people.clock.forward(30)
    people.work()
    entry = people.entry(notification, "a")
    assert (entry["status"], entry["attempts"]) == ("sent", 3)
    assert [line["detail"] for line in entry["history"]] == [
        None,
        "attempt 1: unavailable",
        "attempt 2: unavailable",
        "attempt 3: accepted for 1 of 1 devices",
    ]
    assert people.state(notification) == "done"


def test_a_retry_after_is_kept_to_the_second(people: Scene) -> None:
    people.fcm.behave(quota=1, retry_after={"quota": 45})
    notification = people.accept("a")
    people.work()
    [batch] = people.batches(notification)
    assert batch["due_at"] == after(45)


def test_an_outage_of_hours_loses_nobody(people: Scene) -> None:
    people.fcm.behave(unavailable=1)
    notification = people.accept("a", ttl=86_400)
    for _ in range(20):
        people.work()
        people.upkeep.expire()
        people.clock.forward(600)
    assert people.standing(notification) == {"a": ("pending", "unavailable")}
    people.fcm.behave()
    people.clock.forward(1350)
    people.work()
    assert people.standing(notification) == {"a": ("sent", None)}
    assert people.state(notification) == "done"


def test_an_outage_of_hours_with_the_channel_paused_loses_nobody(scene: Scene) -> None:
    users = [f"u{number:02}" for number in range(20)]
    for user in users:
        scene.register(user)
    scene.fcm.behave(unavailable=1)
    notification = scene.accept(*users, ttl=86_400)
    scene.expand()
    scene.engine.leasing.resign()
    paused = 0
    for _ in range(75):
        _one_load(scene)
        paused += scene.engine.governor.paused
        scene.clock.forward(100)
    assert paused > 30
    assert set(scene.standing(notification).values()) <= {("pending", "unavailable"), ("pending", None)}
    scene.fcm.behave()
    for _ in range(16):
        _one_load(scene)
        scene.clock.forward(100)
    assert set(scene.standing(notification).values()) == {("sent", None)}
    assert scene.violations(notification) == []


def _one_load(scene: Scene) -> None:
    """Let a worker dispatch what it takes at once, if anything is due."""
    scene.engine.governor.refresh()
    if load := scene.engine.leasing.take():
        scene.engine.delivery.deliver(load)


def test_an_outage_that_outlasts_the_time_to_live_expires_what_waited(people: Scene) -> None:
    people.fcm.behave(unavailable=1)
    notification = people.accept("a", ttl=7200)
    for _ in range(13):
        people.work()
        people.upkeep.expire()
        people.clock.forward(600)
    assert people.standing(notification) == {"a": ("expired", "ttl_over")}
    assert people.entry(notification, "a")["history"][-2]["detail"].endswith(": unavailable")
    assert people.batches(notification) == []
    assert people.state(notification) == "done"


def test_every_active_device_of_a_user_is_sent_to(people: Scene) -> None:
    people.register("a", "tablet")
    notification = people.accept("a")
    people.work()
    assert sorted(people.accepted()) == ["a:phone", "a:tablet"]
    assert people.entry(notification, "a")["history"][-1]["detail"] == "attempt 1: accepted for 2 of 2 devices"


def test_one_of_two_devices_is_retried_alone_and_the_entry_is_sent_meanwhile(people: Scene) -> None:
    people.register("a", "tablet")
    people.fcm.behave(prefixes={"a:tablet": {"unavailable": 1}})
    notification = people.accept("a", "b")
    people.work()
    assert people.standing(notification) == {"a": ("sent", None), "b": ("sent", None)}
    for _ in range(2):
        people.clock.forward(30)
        people.work()
    people.fcm.behave()
    people.clock.forward(60)
    people.work()
    tried = Counter(row["target"] for row in people.fcm.messages())
    assert tried == {"a:phone": 1, "b:phone": 1, "a:tablet": 4}
    assert people.entry(notification, "a")["attempts"] == 1
    confirming = [user for batch in people.batches(notification) for user in batch["users"]]
    assert sorted(confirming) == ["a", "b"]
    assert {batch["stage"] for batch in people.batches(notification)} == {"confirm"}
    assert people.violations(notification) == []


def test_a_user_whose_other_device_turned_out_dead_is_still_sent_to_again(people: Scene) -> None:
    people.register("a", "tablet")
    people.fcm.behave(prefixes={"a:tablet": {"unavailable": 1}})
    notification = people.accept("a")
    people.work()
    people.fcm.behave(prefixes={"a:tablet": {"unregistered": 1}})
    people.clock.forward(15)
    people.work()
    people.clock.forward(900)
    assert people.upkeep.resend() == 1
    people.work()
    assert Counter(people.accepted()) == {"a:phone": 2}
    assert people.standing(notification) == {"a": ("sent", None)}


def test_what_no_device_confirmed_is_sent_again_twice_and_then_left(people: Scene) -> None:
    notification = people.accept("a", "b", "c")
    sent = [_round(people, forward) for forward in (0, 899, 1)]
    _confirm(people, notification, "b")
    sent += [_round(people, forward) for forward in (1800, 3600, 7200)]
    assert sent == ["abc", "", "abc", "ac", "", ""]
    entry = people.entry(notification, "c")
    assert (entry["status"], entry["attempts"], entry["resends"]) == ("sent", 3, 2)
    assert [line["status"] for line in entry["history"]] == ["pending", "sent", "pending", "sent", "pending", "sent"]
    assert people.batches(notification) == []
    assert people.violations(notification) == []


def _round(scene: Scene, forward: float) -> str:
    """Who is sent to when a scheduler and a worker run once after so many seconds."""
    scene.clock.forward(forward)
    before = len(scene.accepted())
    scene.upkeep.resend()
    scene.work()
    return "".join(sorted(target.removesuffix(":phone") for target in scene.accepted()[before:]))


def _confirm(scene: Scene, notification: str, user: str) -> None:
    assert scene.services.reception.report(user, [Report(notification, Status.RECEIVED)]) == []


def test_a_retry_in_a_resend_is_not_another_resend(people: Scene) -> None:
    notification = people.accept("a")
    people.work()
    people.fcm.behave(unavailable=1)
    people.clock.forward(900)
    people.upkeep.resend()
    people.work()
    assert people.standing(notification) == {"a": ("pending", "unavailable")}
    people.fcm.behave()
    people.clock.forward(15)
    people.work()
    entry = people.entry(notification, "a")
    assert (entry["status"], entry["resends"]) == ("sent", 1)
    [batch] = people.batches(notification)
    assert (batch["stage"], batch["resends"], batch["due_at"]) == ("confirm", 1, after(915 + 1800))


def test_what_was_sent_stays_so_where_its_resend_finds_the_device_dead(people: Scene) -> None:
    notification = people.accept("a")
    people.work()
    people.fcm.behave(unregistered=1)
    people.clock.forward(900)
    people.upkeep.resend()
    people.work()
    entry = people.entry(notification, "a")
    assert (entry["status"], entry["reason"], entry["attempts"]) == ("sent", None, 2)
    assert [(line["status"], line["detail"]) for line in entry["history"][2:]] == [
        ("pending", "resend 1: no device confirmed it"),
        ("sent", "attempt 1: unregistered: not sent again"),
    ]
    assert people.batches(notification) == []
    assert people.violations(notification) == []


def test_a_user_without_a_device_waits_until_one_is_registered(scene: Scene) -> None:
    notification = scene.accept("a")
    scene.work()
    assert scene.standing(notification) == {"a": ("pending", "no_device")}
    assert scene.state(notification) == "done"
    scene.register("a")
    scene.work()
    assert scene.standing(notification) == {"a": ("sent", None)}
    assert scene.accepted() == ["a:phone"]
    scene.register("a")
    scene.work()
    assert scene.accepted() == ["a:phone"]
    assert scene.violations(notification) == []


def test_what_is_cancelled_before_it_is_dispatched_is_not_sent(people: Scene) -> None:
    notification = people.accept("a", "b")
    load = taken(people, notification, "a", "b")
    assert Notifications(people.database).cancel(notification)
    people.engine.delivery.deliver(load)
    assert people.standing(notification) == dict.fromkeys("ab", ("cancelled", "cancelled_by_backend"))
    assert people.accepted() == []
    assert people.batches(notification) == []


def test_cancelling_ends_retries_and_leaves_what_was_sent(people: Scene) -> None:
    people.fcm.behave(prefixes={"a:": {"unavailable": 1}})
    notification = people.accept("a", "b")
    people.engine.delivery.deliver(taken(people, notification, "a", "b"))
    assert people.state(notification) == "dispatching"
    Notifications(people.database).cancel(notification)
    people.clock.forward(15)
    people.work()
    assert people.standing(notification) == {"a": ("cancelled", "cancelled_by_backend"), "b": ("sent", None)}


def test_what_expires_before_it_is_dispatched_is_not_sent(people: Scene) -> None:
    notification = people.accept("a", "b", ttl=20)
    load = taken(people, notification, "a", "b")
    people.clock.forward(20)
    people.engine.delivery.deliver(load)
    assert people.standing(notification) == dict.fromkeys("ab", ("expired", "ttl_over"))
    assert people.accepted() == []


def test_a_retry_is_never_put_off_beyond_the_expiry_and_ends_there(people: Scene) -> None:
    people.fcm.behave(unavailable=1, retry_after={"unavailable": 600})
    notification = people.accept("a", ttl=20)
    people.work()
    people.clock.forward(20)
    people.work()
    assert people.standing(notification) == {"a": ("expired", "ttl_over")}
    assert people.fcm.counts()["requests"] == 1


def test_a_batch_whose_entries_are_not_written_yet_is_given_back_unsent(people: Scene) -> None:
    people.accept("a", resend=ONCE)
    dying = people.worker(Interrupted(people.database, 6, die))
    [claim] = claims(dying)
    with pytest.raises(Killed):
        list(dying.expansion.loads(claim))
    people.clock.forward(LEASE)
    load = people.engine.leasing.take()
    assert len(load) == 1
    people.engine.delivery.deliver(load)
    assert people.accepted() == []
    assert not people.engine.leasing.take()
    people.work()
    people.clock.forward(LEASE)
    people.work()
    assert people.accepted() == ["a:phone"]


def test_a_batch_of_a_notification_that_is_gone_goes_too(scene: Scene) -> None:
    Batches(scene.database).add(a_batch())
    scene.work()
    assert scene.database["batches"].count_documents({}) == 0


def test_a_message_that_cannot_be_encoded_fails_its_recipients_with_the_reason(people: Scene) -> None:
    notification = a_notification(message=Message("Hello", data={"google.secret": "x"}))
    notification = replace(notification, audience=replace(notification.audience, users=("a", "b")))
    Notifications(people.database).add(notification, None)
    people.work()
    assert people.standing(notification.id) == dict.fromkeys("ab", ("failed", "payload_rejected"))
    assert people.state(notification.id) == "done"


def test_who_was_suspended_until_another_had_taken_over_sends_nothing(people: Scene) -> None:
    notification = people.accept("a", "b")
    load = taken(people, notification, "a", "b")
    people.clock.forward(LEASE)
    people.work(people.worker())
    before = people.batches(notification), people.entry(notification, "a")
    people.engine.delivery.deliver(load)
    assert (people.batches(notification), people.entry(notification, "a")) == before
    assert Counter(people.accepted()) == {"a:phone": 1, "b:phone": 1}


def test_who_was_suspended_until_the_lease_ran_out_goes_on_where_nobody_took_over(people: Scene) -> None:
    notification = people.accept("a")
    load = taken(people, notification, "a")
    people.clock.forward(LEASE)
    people.engine.delivery.deliver(load)
    assert people.standing(notification) == {"a": ("sent", None)}


def test_a_lease_may_be_lost_before_any_operation_and_each_entry_is_sent_once(people: Scene) -> None:
    for moment in count(2):  # the lease itself takes two
        people.fcm.clear()
        notification = people.accept("a", "b", "without device")
        [page] = people.expand()
        database = Interrupted(people.database, moment, lambda: _lose_the_lease(people))
        suspended = people.worker(database)
        people.engine.leasing.release([page])
        load = suspended.leasing.take()
        assert len(load) == 1
        suspended.delivery.deliver(load)
        for user in "ab":
            entry = people.entry(notification, user)
            assert [line["status"] for line in entry["history"]] == ["pending", "sent"]
        [left] = people.batches(notification)
        assert (left["stage"], left["users"]) == ("confirm", ["a", "b"])
        assert max(Counter(people.accepted()).values()) <= 2
        assert people.violations(notification) == []
        if not database.happened:
            break
    assert moment > 6


def _lose_the_lease(scene: Scene) -> None:
    scene.clock.forward(LEASE)
    scene.work(scene.worker())


def test_a_batch_whose_delivery_failed_is_not_kept_by_renewing(people: Scene) -> None:
    notification = people.accept("a")
    people.expand()
    people.clock.forward(LEASE)
    failing = people.worker(Interrupted(people.database, 2, die))
    load = failing.leasing.take()
    assert len(load) == 1
    with pytest.raises(Killed):
        failing.delivery.deliver(load)
    for _ in range(3):
        failing.leasing.renew()
        people.clock.forward(LEASE / 2)
    people.work(people.worker())
    assert people.standing(notification) == {"a": ("sent", None)}


def test_of_a_load_each_batch_has_its_own_fate(people: Scene) -> None:
    engine = people.engine
    fates = ("sent", "cancelled", "expired", "lost", "gone", "unencodable")
    ids = {fate: people.accept("a", "b", ttl=20 if fate == "expired" else 3600) for fate in fates[:-1]}
    odd = a_notification(message=Message("Hello", data={"google.secret": "x"}))
    Notifications(people.database).add(replace(odd, audience=replace(odd.audience, users=("a", "b"))), None)
    ids["unencodable"] = odd.id
    [load] = list(people.loads(engine))
    Notifications(people.database).cancel(ids["cancelled"])
    people.clock.forward(LEASE)
    key = {"_id.n": object_id(ids["lost"])}
    people.database["batches"].update_many(key, {"$set": {"owner": "another", "due_at": after(10 * LEASE)}})
    people.database["notifications"].delete_one({"_id": object_id(ids["gone"])})
    engine.delivery.deliver(load)
    assert {fate: people.standing(notification)["b"] for fate, notification in ids.items()} == {
        "sent": ("sent", None),
        "cancelled": ("cancelled", "cancelled_by_backend"),
        "expired": ("expired", "ttl_over"),
        "lost": ("pending", None),
        "gone": ("pending", None),
        "unencodable": ("failed", "payload_rejected"),
    }
    assert sorted(people.accepted()) == ["a:phone", "b:phone"]
    left = {fate: [batch["stage"] for batch in people.batches(notification)] for fate, notification in ids.items()}
    assert left == {fate: [] for fate in fates} | {"sent": ["confirm"], "lost": ["dispatch"]}
    assert engine.leasing.holder.batches.keys() == set()


def test_retries_and_resends_of_many_are_taken_and_sent_together(people: Scene) -> None:
    people.fcm.behave(prefixes={"b:": {"unavailable": 1}})
    notifications = [people.accept("a", "b") for _ in range(5)]
    people.work()
    people.fcm.behave()
    people.clock.forward(900)
    assert people.upkeep.resend() == 5
    load = people.engine.leasing.take()
    assert sorted(page.batch.users for page in load) == [("a",)] * 5 + [("b",)] * 5
    people.engine.delivery.deliver(load)
    for notification in notifications:
        assert people.standing(notification) == {"a": ("sent", None), "b": ("sent", None)}
        assert [people.entry(notification, user)["resends"] for user in "ab"] == [1, 0]
        assert people.violations(notification) == []
    assert Counter(people.accepted()) == {"a:phone": 10, "b:phone": 5}


def test_a_stopped_governor_sends_nothing_and_leaves_the_batch_as_it_is(people: Scene) -> None:
    notification = people.accept("a")
    load = taken(people, notification, "a")
    people.engine.governor.stop()
    people.engine.delivery.deliver(load)
    assert people.accepted() == []
    assert people.standing(notification) == {"a": ("pending", None)}
    people.engine.leasing.resign()
    people.work(people.worker())
    assert people.standing(notification) == {"a": ("sent", None)}


def test_what_was_cancelled_or_ended_while_it_waited_for_its_pace_is_not_sent(people: Scene) -> None:
    slow = people.worker()
    fates = {"cancelled": 3600, "expired": 20, "moved": 3600}
    for user in fates:
        people.register(user)
    ids = {fate: people.accept(fate, ttl=ttl) for fate, ttl in fates.items()}
    load = [replace(page, batch=replace(page.batch, rank=Rank.BULK)) for page in people.expand(slow)]
    slow.governor.refund(-DEBT)

    def meanwhile() -> None:
        until(lambda: slow.governor._allowance._wanting == 3, "it waits")
        Notifications(people.database).cancel(ids["cancelled"])
        people.register("other", target="moved:phone")
        people.clock.forward(25)
        time.sleep(0.3)  # so long a wait is one after which things are looked at again
        slow.governor.refund(DEBT)

    at_once(lambda: slow.delivery.deliver(load), meanwhile)
    assert people.accepted() == []
    assert {fate: people.standing(notification)[fate] for fate, notification in ids.items()} == {
        "cancelled": ("cancelled", "cancelled_by_backend"),
        "expired": ("expired", "ttl_over"),
        "moved": ("pending", "no_device"),
    }


def test_while_the_channel_is_paused_everything_is_left_to_anyone(people: Scene) -> None:
    notification = people.accept("a")
    load = taken(people, notification, "a")
    people.engine.governor.observe([CREDENTIAL_REFUSED])
    people.engine.delivery.deliver(load)
    assert people.fcm.counts()["requests"] == 0
    assert people.standing(notification) == {"a": ("pending", None)}
    people.clock.forward(10)
    people.work(people.worker())
    assert people.standing(notification) == {"a": ("sent", None)}


def test_after_a_pause_a_few_are_sent_to_before_all_the_others(people: Scene) -> None:
    users = [f"u{number:02}" for number in range(40)]
    for user in users:
        people.register(user)
    notification = people.accept(*users)
    [page] = people.expand()
    people.fcm.behave(unavailable=1)
    people.engine.governor.observe([CREDENTIAL_REFUSED])
    people.clock.forward(10)
    people.engine.delivery.deliver([page])
    assert people.fcm.counts()["requests"] == 5
    assert Paces(people.database).get(Channel.PUSH).failures == 2
    assert people.entry(notification, "u00")["reason"] == "unavailable"
    assert people.entry(notification, "u05")["history"][1:] == []
    people.fcm.behave()
    people.clock.forward(20)
    people.work()
    assert Paces(people.database).get(Channel.PUSH).failures == 0
    assert set(people.standing(notification).values()) == {("sent", None)}
    assert max(Counter(people.accepted()).values()) == 1
    assert people.violations(notification) == []


def test_a_device_gets_so_many_messages_a_minute_and_the_rest_later(people: Scene) -> None:
    notifications = [people.accept("a", resend=ONCE) for _ in range(300)]
    people.work()
    assert people.fcm.counts()["accepted"] == 159
    waiting = [n for n in notifications if people.standing(n) == {"a": ("pending", "device_rate")}]
    assert len(waiting) == 141
    assert {people.entry(n, "a")["attempts"] for n in waiting} == {0}
    for _ in range(5):
        people.clock.forward(10)
        people.work()
    assert 220 < people.fcm.counts()["accepted"] <= 240
    for _ in range(10):
        people.clock.forward(10)
        people.work()
    assert people.fcm.counts()["accepted"] == 300
    assert {people.standing(n)["a"] for n in notifications} == {("sent", None)}


def test_a_retry_that_would_come_after_the_expiry_tells_all_its_causes(people: Scene) -> None:
    people.fcm.behave(unavailable=1, retry_after={"unavailable": 900})
    notification = people.accept("a", ttl=60)
    people.work()
    people.clock.forward(59)
    people.work()
    assert people.standing(notification) == {"a": ("pending", "unavailable")}
    people.clock.forward(1)
    people.work()
    entry = people.entry(notification, "a")
    assert (entry["status"], entry["reason"]) == ("expired", "ttl_over")
    assert [line["detail"] for line in entry["history"]][1] == "attempt 1: unavailable"
    assert people.fcm.counts()["requests"] == 1
    assert people.batches(notification) == []


FATES = {"busy:": {"unavailable": 1}, "two:tablet": {"unavailable": 1}, "gone": {"unregistered": 1}}


def test_a_worker_may_die_before_any_operation_and_nobody_is_lost(scene: Scene) -> None:
    for user in ("busy", "fine", "gone", "two"):
        scene.register(user)
    scene.register("two", "tablet")
    for moment in count():
        scene.fcm.clear()
        scene.fcm.behave(prefixes=FATES)
        scene.register("gone", target=f"gone{moment}")
        notification = scene.accept("busy", "fine", "gone", "none", "two")
        [page] = scene.expand()
        scene.engine.leasing.release([page])
        database = Interrupted(scene.database, moment, die)
        dying = scene.worker(database)
        try:
            scene.work(dying)
        except Killed:
            scene.clock.forward(LEASE)
        scene.work(scene.worker())
        scene.fcm.behave()
        scene.clock.forward(60)
        scene.work(scene.worker())
        standing = dict(scene.standing(notification))
        gone = standing.pop("gone")
        assert standing == dict.fromkeys(("busy", "fine", "two"), ("sent", None)) | {"none": ("pending", "no_device")}
        assert gone in {("failed", "unregistered"), ("pending", "no_device")}  # the target may have died with no word
        assert len(scene.accepted()) <= 8
        assert scene.violations(notification) == []
        if not database.happened:
            break
        for name in ("notifications", "registry", "batches", *COUNTED):
            scene.database[name].delete_many({})
    assert moment > 10


def test_a_message_that_the_encoder_refuses_is_still_mailed(people: Scene) -> None:
    """It came past the check of the API, as from an older version."""
    people.address("a")
    notification = people.accept("a", channels=(Channel.PUSH, Channel.EMAIL))
    people.database["notifications"].update_one({}, {"$set": {"message.data": {"large": "x" * 5000}}})
    for load in list(people.loads()):
        people.engine.leasing.release(load)
    people.engine.delivery.deliver(people.engine.leasing.take())
    assert people.standing(notification) == {"a": ("pending", "payload_rejected")}
    assert [batch["_id"]["c"] for batch in people.batches(notification)] == ["email"]
