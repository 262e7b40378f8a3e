"""What is refused of a message that goes by mail."""

from notify_server.domain.notification import Message
from notify_server.errors import InvalidInput


def check(message: Message) -> None:
    """Raises InvalidInput where a mail would say nothing."""
    if not (message.title or message.body):
        raise InvalidInput({"message": ["Needs a title or a body, to go by email."]})
