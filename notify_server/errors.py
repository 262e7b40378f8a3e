"""Every error that Notify Server raises on purpose.

NotifyError
├── ConfigurationError          the environment does not describe a working service (exit 2)
├── Refused                     the caller's fault; each maps to one HTTP status
│   ├── InvalidInput            422, with the fields named
│   ├── Unauthenticated         401
│   ├── Forbidden               403
│   ├── NotFound                404
│   ├── Conflict                409
│   └── TooManyRequests         429, with the seconds to wait
├── DatabaseError
│   ├── DatabaseUnavailable     503: try again later
│   ├── NotAReplicaSet          a standalone mongod: says how to turn it into one
│   ├── TurnedBack              the database is an older one than this process has seen: begin anew
│   ├── MigrationsPending       run `notify-server migrate`
│   └── NoEmbeddedDatabase      no mongod binary fits this platform
├── KeysUnavailable             503: a foreign issuer's keys of user tokens cannot be had
└── ChannelError
    └── CredentialError         the channel's own credential does not work
"""

from collections.abc import Mapping, Sequence


class NotifyError(Exception):
    """The root: catch it to catch everything that this package raises on purpose."""


class ConfigurationError(NotifyError):
    """The configuration is unusable. `problems` names every variable at fault, all at once."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


class Refused(NotifyError):
    """A request that is refused through the caller's fault. `status` is its HTTP status."""

    status = 400
    title = "Bad request"


class InvalidInput(Refused):
    """Well-formed but unacceptable. `errors` maps each field's path to what is wrong with it."""

    status = 422
    title = "Invalid input"

    def __init__(self, errors: Mapping[str, Sequence[str]]) -> None:
        super().__init__("; ".join(f"{path}: {' '.join(messages)}" for path, messages in errors.items()))
        self.errors = {path: list(messages) for path, messages in errors.items()}


class Unauthenticated(Refused):
    """No token, or one that proves nothing."""

    status = 401
    title = "Not authenticated"


class Forbidden(Refused):
    """A good token without the right that the request needs."""

    status = 403
    title = "Not allowed"


class NotFound(Refused):
    """What the request names does not exist, or is not the caller's to know of."""

    status = 404
    title = "Not found"


class Conflict(Refused):
    """The request contradicts what is already there."""

    status = 409
    title = "Conflict"


class TooManyRequests(Refused):
    """The caller calls too often; it may again in `retry_after` seconds."""

    status = 429
    title = "Too many requests"

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"Too many requests: try again in {retry_after} s.")
        self.retry_after = retry_after


class DatabaseError(NotifyError):
    """MongoDB cannot be used as it is."""


class DatabaseUnavailable(DatabaseError):
    """MongoDB does not answer, or has no primary at the moment."""


class NotAReplicaSet(DatabaseError):
    """The server is a standalone mongod, without change streams or majority writes."""


class TurnedBack(DatabaseError):
    """The database was restored under a process that runs: what it knows of the order of announcements is void."""


class MigrationsPending(DatabaseError):
    """The database is not at the version that this code needs."""


class NoEmbeddedDatabase(DatabaseError):
    """No mongod binary was found, or the one found does not run here."""


class KeysUnavailable(NotifyError):
    """The key set of NOTIFY_JWT_JWKS_URL cannot be fetched, or holds no key that can be used."""


class ChannelError(NotifyError):
    """A channel cannot be used."""


class CredentialError(ChannelError):
    """The credential of a channel is missing, malformed or refused by the provider."""
