"""The connection to MongoDB, and the one place where the driver's connection errors become ours."""

import functools
import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from pymongo import MongoClient, errors
from pymongo.database import Database
from pymongo.server_type import SERVER_TYPE

from notify_server.config import Config
from notify_server.errors import ConfigurationError, DatabaseUnavailable, NotAReplicaSet
from notify_server.storage.documents import Document
from notify_server.storage.server_clock import ServerClock

_Translatable = TypeVar("_Translatable", bound=Callable[..., Any])

_ANSWER_WITHIN = 5_000  # milliseconds: to find a primary, to connect, or to get a connection from the pool
_LOOK = 5_000  # milliseconds between two looks at a server: one that hangs is found out, and left, within twice that
CONFIRM_WITHIN = 10.0  # seconds: for a majority to have what is written, and for a whole transaction
_READ_WITHIN = 60.0  # seconds: for one answer of a living server; the update that ends a million entries takes 30
_NOT_LET_IN = {13, 18}  # Unauthorized, AuthenticationFailed (MongoDB manual, "Error Codes")
_READ_ONLY = {371, 14031}  # UserWritesBlocked, OutOfDiskSpace (the same)
# No primary any more: one that steps down in the midst of an update of many says so of the write, not of the command.
_GONE = {91, 189, 10107, 11600, 11602, 13435, 13436}
_PAST = {239, 246}  # the moment of a snapshot is too old, or older than a collection or an index: another one is not
_STANDALONE = (
    "This MongoDB is a standalone server; Notify Server needs a replica set (one member will do). Start mongod with "
    "--replSet NAME (or set replication.replSetName in its configuration), then run rs.initiate() once in mongosh."
)
_NOT_INITIATED = "This MongoDB belongs to a replica set that was never initiated. Run rs.initiate() once in mongosh."


def uri_file(config: Config) -> Path:
    """Where a running embedded database leaves its URI."""
    return config.run_dir / "mongodb.uri"


def uri(config: Config) -> str:
    """The configured URI, or else that of the embedded database which runs in the data directory.

    Raises DatabaseUnavailable when there is neither.
    """
    if config.mongodb_uri:
        return config.mongodb_uri
    try:
        return uri_file(config).read_text().strip()
    except FileNotFoundError:
        raise DatabaseUnavailable(
            f"No database: NOTIFY_MONGODB_URI is not set, and no embedded database runs in {config.data_dir}. "
            "Set NOTIFY_MONGODB_URI, or start one with `notify-server up`."
        ) from None


def connect(config: Config, *, read_within: float | None = _READ_WITHIN) -> Database[Document]:
    """The database of this configuration, not yet contacted; close it with `database.client.close()`.

    Times come back aware, in UTC; reads and writes are retried once. Writes are acknowledged by a majority: where that
    takes over ten seconds, nobody knows what becomes of them. A server that hangs is left after as long.
    `read_within` is in seconds; None waits as long as a living server and a majority take (index builds).
    Raises DatabaseUnavailable as `uri` does, and ConfigurationError when the URI is no URI.
    """
    try:
        client: MongoClient[Document] = MongoClient(
            uri(config),
            tz_aware=True,
            w="majority",
            wTimeoutMS=0 if read_within is None else int(CONFIRM_WITHIN * 1000),
            retryWrites=True,
            retryReads=True,
            serverSelectionTimeoutMS=_ANSWER_WITHIN,
            connectTimeoutMS=_ANSWER_WITHIN,
            waitQueueTimeoutMS=_ANSWER_WITHIN,
            heartbeatFrequencyMS=_LOOK,
            socketTimeoutMS=None if read_within is None else int(read_within * 1000),
            appname="notify-server",
            event_listeners=[ServerClock()],
        )
    except (errors.ConfigurationError, ValueError) as error:  # its text may quote the password
        problem = f"NOTIFY_MONGODB_URI: not a usable connection string ({type(error).__name__})."
        raise ConfigurationError([problem]) from None
    return client[config.database]


def translated(target: _Translatable) -> _Translatable:
    """Decorate a class, a function or a generator function: what it raises is never the driver's connection error.

    Everything that means "MongoDB does not answer, or not with a majority" becomes DatabaseUnavailable; the rest
    passes. A lazy result is only covered when the decorated function itself is the generator.
    """
    if inspect.isclass(target):
        for name, attribute in list(vars(target).items()):
            if inspect.isfunction(attribute):
                setattr(target, name, translated(attribute))
        return target
    return _translated_generator(target) if inspect.isgeneratorfunction(target) else _translated_function(target)  # type: ignore[return-value]


def _translated_function(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except errors.PyMongoError as error:
            _refuse_if_unavailable(error)
            raise

    return call


def _translated_generator(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Iterator[Any]:
        try:
            yield from function(*args, **kwargs)
        except errors.PyMongoError as error:
            _refuse_if_unavailable(error)
            raise

    return call


def _refuse_if_unavailable(error: errors.PyMongoError) -> None:
    if isinstance(error, errors.OperationFailure) and error.code in _NOT_LET_IN:
        raise DatabaseUnavailable(
            "MongoDB refuses these credentials, or this user may not use the database."
        ) from error
    if _is_read_only(error):
        raise DatabaseUnavailable("MongoDB takes no writes at the moment.") from error
    if _is_unavailable(error):
        raise DatabaseUnavailable(
            f"MongoDB does not answer, or not with a majority ({type(error).__name__})."
        ) from error


def _is_read_only(error: errors.PyMongoError) -> bool:
    return not _codes(error).isdisjoint(_READ_ONLY)


def _codes(error: errors.PyMongoError) -> set[int | None]:
    """The server's error codes."""
    if isinstance(error, errors.BulkWriteError):
        return {problem["code"] for problem in error.details["writeErrors"]}
    return {error.code} if isinstance(error, errors.OperationFailure) else set()


def _is_unavailable(error: errors.PyMongoError) -> bool:
    if isinstance(error, errors.BulkWriteError) and error.details["writeConcernErrors"]:
        return True  # written, but the majority never said so
    lost = (errors.ConnectionFailure, errors.CursorNotFound, errors.WriteConcernError)
    retryable = error.timeout or error.has_error_label("RetryableWriteError")
    return isinstance(error, lost) or retryable or not _codes(error).isdisjoint(_GONE | _PAST)


@translated
def ping(database: Database[Document]) -> None:
    """Return when a primary answers. Raises DatabaseUnavailable when none does within five seconds."""
    database.client.admin.command("ping")


def require_replica_set(database: Database[Document]) -> None:
    """Return when the server is a replica set or a sharded cluster, with a primary.

    Raises NotAReplicaSet, saying how to make one, or DatabaseUnavailable when none answers within five seconds.
    """
    try:
        hello = translated(database.client.admin.command)("hello")
    except DatabaseUnavailable:
        servers = database.client.topology_description.server_descriptions().values()
        if any(server.server_type == SERVER_TYPE.RSGhost for server in servers):
            raise NotAReplicaSet(_NOT_INITIATED) from None
        raise
    if "setName" not in hello and hello.get("msg") != "isdbgrid":  # mongos says isdbgrid
        raise NotAReplicaSet(_STANDALONE)
