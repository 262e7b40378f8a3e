"""A notification in FCM's words: built by firebase-admin, which also validates it.

What each field is for: https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages
"""

from datetime import datetime

from firebase_admin import messaging

from notify_server.domain.notification import Notification, Priority

NOTIFICATION_ID = "notification_id"  # the data key by which a device names what it confirms
_APNS_PRIORITY = {Priority.HIGH: "10", Priority.NORMAL: "5"}  # Apple: "Sending notification requests to APNs"
_WEB_URGENCY = {Priority.HIGH: "high", Priority.NORMAL: "normal"}  # RFC 8030 section 5.3


def build(notification: Notification, at: datetime, fid: str) -> messaging.Message:
    """The message to one Firebase installation id, with the time to live that is left at `at`.

    A message without title and body is data-only: no `notification`, and iOS wakes the app instead of the user.
    Tag and collapse id are the notification's id, so that a repeat replaces what the device shows. No Android
    collapse_key: FCM throttles those per device. firebase-admin validates a message only when it is encoded.
    """
    message = notification.message
    shown = bool(message.title or message.body)
    ttl = _time_left(notification, at)
    return messaging.Message(
        fid=fid,
        data=_data(notification),
        notification=messaging.Notification(message.title, message.body, message.image) if shown else None,
        android=_android(notification, ttl, shown),
        apns=_apns(notification, shown),
        webpush=_webpush(notification, ttl, shown),
    )


def _time_left(notification: Notification, at: datetime) -> int:
    """Seconds: the whole TTL of one that is still to come, and 0 ("now or never") once it is over."""
    left = int((notification.expires_at - at).total_seconds())
    return min(max(left, 0), notification.ttl)


def _data(notification: Notification) -> dict[str, str]:
    given = {"link": notification.message.link, "category": notification.category}
    own = {key: value for key, value in given.items() if value is not None}
    return {**notification.message.data, **own, NOTIFICATION_ID: notification.id}


def _android(notification: Notification, ttl: int, shown: bool) -> messaging.AndroidConfig:
    return messaging.AndroidConfig(
        priority=notification.priority.value,
        ttl=ttl,
        notification=messaging.AndroidNotification(tag=notification.id) if shown else None,
    )


def _apns(notification: Notification, shown: bool) -> messaging.APNSConfig:
    """Mutable, so that the app's service extension runs and can confirm; a background push must have priority 5."""
    headers = {
        "apns-priority": _APNS_PRIORITY[notification.priority] if shown else "5",
        "apns-push-type": "alert" if shown else "background",
        "apns-expiration": str(int(notification.expires_at.timestamp())),
        "apns-collapse-id": notification.id,
    }
    aps = messaging.Aps(sound="default", mutable_content=True) if shown else messaging.Aps(content_available=True)
    return messaging.APNSConfig(headers=headers, payload=messaging.APNSPayload(aps))


def _webpush(notification: Notification, ttl: int, shown: bool) -> messaging.WebpushConfig:
    link = notification.message.link
    secure = link is not None and link.startswith("https://")
    return messaging.WebpushConfig(
        headers={"TTL": str(ttl), "Urgency": _WEB_URGENCY[notification.priority]},
        notification=messaging.WebpushNotification(tag=notification.id) if shown else None,
        fcm_options=messaging.WebpushFCMOptions(link) if secure else None,
    )
