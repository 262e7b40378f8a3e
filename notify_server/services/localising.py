"""Which device gets a message in which locale.

The locale of the user's profile decides, as it stood when their entry was made; where it named none, that of the
device; where there is none either, the default of the template.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from notify_server.domain.batch import Batch
from notify_server.domain.dispatch import Owned
from notify_server.domain.push import Encoded
from notify_server.domain.texts import Texts
from notify_server.domain.user import User
from notify_server.domain.user_fields import UserField
from notify_server.services.messages import Ready
from notify_server.services.outlet import Send
from notify_server.services.waiting import Waiting
from notify_server.storage.registry import Registry
from notify_server.storage.users import Users

_KNOWN = frozenset({UserField.ID})  # what is known of a user without looking


@dataclass(frozen=True, slots=True)
class Localising:
    """Puts the devices of a batch in order of the message that they get, so that each message is sent as one."""

    registry: Registry
    users: Users

    def send(
        self,
        batch: Batch,
        ready: Ready,
        waiting: Waiting,
        devices: Sequence[Owned],
        spoken: Mapping[tuple[str, str], str],
    ) -> Send:
        """What to send of a notification that has texts; `spoken` are locales of devices, by user and device id."""
        texts = ready.notification.texts
        if texts is None or not devices:
            return Send(batch, ready, waiting.users, devices)
        locales = waiting.locales
        if locales is None:
            noted = self.registry.locales({batch.key.notification: waiting.users})
            locales = {user: locale for (_, user), locale in noted.items()}
        alike = _alike(texts, devices, locales, spoken)
        runs = self._runs(ready, alike)
        ordered = [device for each in alike.values() for device in each]
        return Send(batch, ready, waiting.users, ordered, runs)

    def _runs(self, ready: Ready, alike: Mapping[tuple[str, str], Sequence[Owned]]) -> list[tuple[Encoded, int]]:
        texts = ready.notification.texts
        if texts is None or not texts.fields:
            return [(ready.locales[locale], len(devices)) for (locale, _), devices in alike.items()]
        users = sorted({user for _, user in alike})
        known = {} if texts.fields <= _KNOWN else {user.id: user for user in self.users.among(users)}
        return [
            (ready.locales[locale].filled(known.get(user) or User(user)), len(devices))
            for (locale, user), devices in alike.items()
        ]


def _alike(
    texts: Texts, devices: Sequence[Owned], locales: Mapping[str, str], spoken: Mapping[tuple[str, str], str]
) -> Mapping[tuple[str, str], Sequence[Owned]]:
    """Devices by locale, and by user where the texts show what is their own."""
    chosen: dict[str | None, str] = {locale: locale for locale in texts.locales}
    alike: dict[tuple[str, str], list[Owned]] = defaultdict(list)
    for device in devices:
        user, name, _ = device
        wanted = locales.get(user) or spoken.get((user, name))
        locale = chosen.get(wanted)
        if locale is None:
            locale = chosen[wanted] = texts.choose(wanted)
        alike[locale, user if texts.fields else ""].append(device)
    return alike
