"""One click that ends mails of a category (RFC 8058): the link in a mail says who and what, for nobody else to read.

The link holds user and category encrypted and authenticated (AES-GCM), under a key of this installation: nobody can
make one for somebody else, nor learn from one, or from an answer, whom we know.
"""

import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from notify_server.domain.notification import Notification
from notify_server.domain.user import Mutable
from notify_server.errors import NotFound
from notify_server.services.subscriptions import Muting
from notify_server.storage.hash_keys import HashKeys
from notify_server.storage.users import Users

PATH = "/v1/unsubscribe"
_KEY = "unsubscribe"
_NONCE = 12  # bytes, as AES-GCM has it
_LONGEST = 4096  # characters: two ids of 128 characters, of four bytes each, make some 1,450


class Links:
    """Makes and reads links below `public_url`; without that there are none."""

    def __init__(self, keys: HashKeys, public_url: str) -> None:
        self._keys = keys
        self._public_url = public_url

    def to(self, notification: Notification, user: str) -> str | None:
        """The link for this user; None where nothing can be muted: no category, or mandatory."""
        if not self._public_url or notification.category is None or notification.mandatory:
            return None
        nonce = secrets.token_bytes(_NONCE)
        said = json.dumps([user, notification.category], ensure_ascii=False).encode()
        token = urlsafe_b64encode(nonce + self._box().encrypt(nonce, said, None)).decode().rstrip("=")
        return f"{self._public_url}{PATH}/{token}"

    def read(self, token: str) -> tuple[str, str]:
        """User and category. Raises NotFound where the link is none of ours."""
        try:
            given = urlsafe_b64decode(token[:_LONGEST] + "=" * (-len(token) % 4))
            user, category = json.loads(self._box().decrypt(given[:_NONCE], given[_NONCE:], None))
        except (Error, InvalidTag, ValueError):
            raise NotFound("This link is not one of ours.") from None
        return user, category

    def _box(self) -> AESGCM:
        return AESGCM(self._keys.get(_KEY))


class Unsubscribing:
    """What a click on such a link does."""

    def __init__(self, links: Links, users: Users, muting: Muting) -> None:
        self._links = links
        self._users = users
        self._muting = muting

    def read(self, token: str) -> tuple[str, str] | None:
        """User and category; None where that user is gone. Raises NotFound where the link is none of ours."""
        user, category = self._links.read(token)
        return (user, category) if self._users.among([user]) else None

    def unsubscribe(self, user: str, category: str) -> None:
        """Mute the category for the user."""
        self._muting.mute(user, Mutable.CATEGORIES, category)
