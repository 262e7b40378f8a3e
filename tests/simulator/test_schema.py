import warnings

import pytest
from firebase_admin import messaging

from notify_server.simulator.schema import ANDROID, MESSAGE, REQUEST, TARGETS, camel
from notify_server.simulator.validation import Reader


@pytest.mark.parametrize(("snake", "wanted"), [("collapse_key", "collapseKey"), ("ttl", "ttl"), ("a_b_c", "aBC")])
def test_names_have_a_second_spelling(snake: str, wanted: str) -> None:
    assert camel(snake) == wanted


def test_records_know_both_spellings() -> None:
    assert ANDROID.fields["restrictedPackageName"] is ANDROID.fields["restricted_package_name"]
    assert {"validateOnly", "validate_only", "message"} == set(REQUEST.fields)
    assert set(TARGETS) <= set(MESSAGE.fields)


def _android() -> messaging.AndroidConfig:
    return messaging.AndroidConfig(
        collapse_key="c",
        priority="high",
        ttl=3600.5,
        restricted_package_name="org.example",
        data={"k": "v"},
        direct_boot_ok=True,
        fcm_options=messaging.AndroidFCMOptions("label"),
        notification=messaging.AndroidNotification(
            title="t",
            body="b",
            icon="i",
            color="#001122",
            sound="s",
            tag="tag",
            click_action="c",
            title_loc_key="k",
            title_loc_args=["a"],
            body_loc_key="k",
            body_loc_args=["a", "b"],
            channel_id="ch",
            image="https://x/y.png",
            ticker="t",
            sticky=True,
            local_only=False,
            priority="max",
            vibrate_timings_millis=[100, 250],
            default_sound=False,
            visibility="public",
            notification_count=3,
            light_settings=messaging.LightSettings("#00ff0080", 100, 200),
            proxy="if_priority_lowered",
        ),
    )


def _apns() -> messaging.APNSConfig:
    alert = messaging.ApsAlert(title="t", body="b", loc_key="k", loc_args=["a"])
    aps = messaging.Aps(alert, badge=1, sound=messaging.CriticalSound("s", True, 0.5), mutable_content=True)
    return messaging.APNSConfig(
        headers={"apns-priority": "10"},
        payload=messaging.APNSPayload(aps, extra={"nested": [1, None]}),
        fcm_options=messaging.APNSFCMOptions("label", "https://x/y.png"),
    )


def _webpush() -> messaging.WebpushConfig:
    return messaging.WebpushConfig(
        headers={"TTL": "60"},
        data={"k": "v"},
        notification=messaging.WebpushNotification(title="t", vibrate=[1, 2], custom_data={"x": {"y": 1}}),
        fcm_options=messaging.WebpushFCMOptions(link="https://x"),
    )


def test_whatever_the_sdk_can_say_is_understood() -> None:
    common = {
        "data": {"k": "v"},
        "notification": messaging.Notification("t", "b", "https://x/y.png"),
        "android": _android(),
        "apns": _apns(),
        "webpush": _webpush(),
        "fcm_options": messaging.FCMOptions("label"),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of Message.token
        messages = [
            messaging.Message(**common, **target)
            for target in ({"fid": "f"}, {"token": "t"}, {"topic": "news"}, {"condition": "'a' in topics"})
        ]
    for message in messages:
        assert Reader().read(f'{{"message":{message}}}'.encode()).refusal is None
