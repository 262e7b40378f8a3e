from notify_server.domain.notification import MAX_TTL, Message, ResendPolicy
from tests.builders import NOON, a_notification, after


def test_the_time_to_live_begins_with_acceptance() -> None:
    assert a_notification(ttl=60).expires_at == after(60)


def test_the_time_to_live_of_a_scheduled_notification_begins_when_it_is_sent() -> None:
    assert a_notification(ttl=60, send_at=after(1000)).expires_at == after(1060)


def test_the_longest_time_to_live_is_four_weeks() -> None:
    assert (a_notification(ttl=MAX_TTL).expires_at - NOON).days == 28


def test_the_wait_for_a_receipt_doubles_with_each_resend_until_there_are_no_more() -> None:
    policy = ResendPolicy(after=900, times=3)
    assert [policy.wait(resends) for resends in range(5)] == [900, 1800, 3600, None, None]


def test_a_policy_without_resends_waits_for_no_receipt() -> None:
    assert ResendPolicy(times=0).wait(0) is None


def test_a_message_does_not_show_its_body_where_it_might_be_logged() -> None:
    shown = repr(a_notification(message=Message("Your grade", "F", data={"grade": "F"})))
    assert "Message(…)" in shown
    assert "grade" not in shown


def test_push_waits_from_the_time_at_which_it_goes_out() -> None:
    assert a_notification().push_at is None
    assert a_notification(push_after=60).push_at == after(60)
    assert a_notification(push_after=60, send_at=after(5)).push_at == after(65)


def test_a_payload_is_read_as_the_object_that_it_is() -> None:
    assert a_notification().content is None
    assert a_notification(payload='{"a":[1]}').content == {"a": [1]}
