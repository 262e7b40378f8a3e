"""What is refused of a message that goes by other channels than push; of one that goes by push, FCM refuses more."""

from notify_server.domain.notification import OWN_KEYS, Message
from notify_server.errors import InvalidInput


def check(message: Message) -> None:
    """Raises InvalidInput naming each field at fault."""
    if taken := sorted(OWN_KEYS & message.data.keys()):
        raise InvalidInput({f"message.data.{key}": ["Set by the server."] for key in taken})
