"""What is refused of a message that goes by other channels than push; of one that goes by push, FCM refuses more."""

import json
from dataclasses import asdict

from notify_server.domain.notification import OWN_KEYS, Message
from notify_server.errors import InvalidInput

MAX_SIZE = 64 * 1024  # bytes of a message as compact JSON in UTF-8
_compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def check(message: Message) -> None:
    """Raises InvalidInput naming each field at fault."""
    if taken := sorted(OWN_KEYS & message.data.keys()):
        raise InvalidInput({f"message.data.{key}": ["Set by the server."] for key in taken})
    given = {name: value for name, value in asdict(message).items() if value}
    size = len(_compact(given).encode(errors="surrogatepass"))
    if size > MAX_SIZE:
        raise InvalidInput({"message": [f"Has {size} bytes as JSON; may have {MAX_SIZE}."]})
