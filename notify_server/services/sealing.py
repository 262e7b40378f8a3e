"""Secrets at rest: encrypted with a key that the database does not have (Fernet: AES-128-CBC with HMAC-SHA256)."""

import base64
from hashlib import sha256

from cryptography.fernet import Fernet, InvalidToken

from notify_server.errors import CredentialError


class Seal:
    """Encrypts with NOTIFY_SETTINGS_KEY; without one nothing can be sealed or opened."""

    def __init__(self, key: str) -> None:
        self._box = Fernet(base64.urlsafe_b64encode(sha256(key.encode()).digest())) if key else None

    @property
    def usable(self) -> bool:
        """Whether there is a key."""
        return self._box is not None

    def close(self, secret: str) -> str:
        """What may be stored of a secret. Raises CredentialError without a key."""
        if self._box is None:
            raise CredentialError("There is no NOTIFY_SETTINGS_KEY to encrypt with.")
        return self._box.encrypt(secret.encode()).decode()

    def open(self, sealed: str) -> str:
        """The secret. Raises CredentialError where it was sealed with another key, or there is none."""
        try:
            if self._box is not None:
                return self._box.decrypt(sealed.encode()).decode()
        except InvalidToken:
            pass
        raise CredentialError("A stored secret cannot be read: NOTIFY_SETTINGS_KEY is not the one it was sealed with.")
