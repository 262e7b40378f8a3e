"""The configuration: read from the environment once, validated whole, frozen."""

import os
import re
import socket
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from urllib.parse import urlsplit

from environs import Env, EnvValidationError
from marshmallow import ValidationError
from marshmallow.validate import URL, Length, OneOf, Range, Regexp

from notify_server.errors import ConfigurationError

FCM_ENDPOINT = "https://fcm.googleapis.com"
CATCHER_HOST = "127.0.0.1"  # what it catches is for this machine alone
SENDGRID_ENDPOINT = "https://api.sendgrid.com"
# A link with one of these runs a program in the app, or shows what is in the link or on the device as a page.
UNSAFE_SCHEMES = frozenset(
    ("javascript", "data", "file", "blob", "vbscript", "about", "view-source", "filesystem", "content", "jar", "intent")
)
MIN_SECRET = 32  # characters: RFC 7518 section 3.2 wants a key as long as the hash, 256 bits
_MIN_DIFFERENT = 8  # different characters: fewer are typed, not random
_PORT = Range(min=1, max=65535)
_COUNT = Range(min=1, max=256)
_POSITIVE = Range(min=0, min_inclusive=False)
_DAYS = Range(1, 36_500)
_SHARE = Range(min=0, max=1, min_inclusive=False)
_EVENTS = Range(min=0, max=10_000, min_inclusive=False)

Network = IPv4Network | IPv6Network


def _mongodb_uri(value: str) -> None:
    if value and not value.startswith(("mongodb://", "mongodb+srv://")):
        raise ValidationError("Must begin with mongodb:// or mongodb+srv://.")


def _readable(value: str) -> None:
    if value and not Path(value).is_file():
        raise ValidationError("No such file.")


def _secret(value: str) -> None:
    if not value:
        return
    if len(value) < MIN_SECRET:
        raise ValidationError(f"Must have at least {MIN_SECRET} characters.")
    if len(set(value)) < _MIN_DIFFERENT or value != value.strip():
        raise ValidationError("Must be random: take one from `openssl rand -base64 48`, without spaces around it.")
    if "-----BEGIN" in value or value.startswith(("ssh-", "ecdsa-")):
        raise ValidationError("Must be a secret, not a key of a key pair; for those there is NOTIFY_JWT_JWKS_URL.")


def _key_set_url(value: str) -> None:
    if not value:
        return
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise ValidationError("Must be a URL.") from None
    if not host or parts.username is not None or not value.isprintable() or " " in value:
        raise ValidationError("Must be a URL with a host, and without a name or password.")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(host)):
        raise ValidationError("Must begin with https://; http:// only on this machine.")


def _public_url(value: str) -> None:
    _key_set_url(value)
    if value and (urlsplit(value).query or urlsplit(value).fragment):
        raise ValidationError("Must be a URL without a query.")


def _names(env: Env, name: str, default: tuple[str, ...], check: Callable[[str], None]) -> tuple[str, ...]:
    """A list with commas between, in small letters; an empty one is not set."""

    def check_all(names: list[str]) -> None:
        for one in names:
            check(one.lower())

    found = env.list(name, list(default), validate=check_all)
    return tuple(one.lower() for one in found or default)  # None where it is wrong, which is told with the rest


def _scheme(value: str) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9+.-]{0,31}", value) or value in UNSAFE_SCHEMES:
        raise ValidationError(f"{value!r} is no scheme, or one that runs or reads what is in the link.")


def _host(value: str) -> None:
    if not re.fullmatch(r"(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*", value):
        raise ValidationError(f"{value!r} is no host name: letters, digits and dots; *.example.org for all below one.")


def _origin(value: str) -> None:
    if value != "*" and not re.fullmatch(r"https?://[a-z0-9.\[\]:-]+", value):
        raise ValidationError(f"{value!r} is no origin, such as https://app.example.org; * for all.")


def _networks(env: Env, name: str) -> tuple[Network, ...]:
    """A list of addresses and networks with commas between."""
    found: list[str] | None = env.list(name, [], validate=_all_networks)
    return tuple(ip_network(one.strip()) for one in found or ())  # None where it is wrong, which is told with the rest


def _all_networks(values: list[str]) -> None:
    for value in values:
        try:
            ip_network(value.strip())
        except ValueError:
            raise ValidationError(f"{value!r} is no IP address or network, such as 10.0.0.0/8.") from None


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _owner() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


@dataclass(frozen=True)
class Config:
    """Every setting. Durations are in seconds, sizes in bytes, rates per second; an empty string means "not set"."""

    mongodb_uri: str = ""
    database: str = "notify"
    data_dir: Path = Path("var")
    host: str = "127.0.0.1"
    port: int = 8000
    realtime_port: int = 8001
    simulator_port: int = 8002
    web_processes: int = 2
    web_threads: int = 8
    worker_processes: int = 1
    worker_threads: int = 4
    fcm_project: str = ""
    fcm_endpoint: str = FCM_ENDPOINT
    fcm_ca_file: str = ""
    fcm_transport: str = "curl"
    fcm_connections: int = 16
    fcm_timeout: float = 15.0
    fcm_rate: float = 10_000.0
    fcm_ramp: float = 60.0
    jwt_secret: str = ""
    jwt_secret_previous: str = ""
    jwt_issuer: str = "notify-server"
    jwt_audience: str = "notify-server"
    jwt_lifetime: int = 3600
    jwt_jwks_url: str = ""
    jwt_jwks_issuer: str = ""
    jwt_jwks_audience: str = ""
    max_body: int = 8 * 1024 * 1024
    web_connections: int = 800
    header_timeout: float = 10.0
    body_timeout: float = 30.0
    rate_server: float = 5_000.0
    rate_user: float = 20.0
    rate_refused: float = 20.0  # a minute
    realtime_connections: int = 10_000
    realtime_user_connections: int = 20
    realtime_unproved_connections: int = 1_000
    realtime_connect_timeout: float = 10.0
    realtime_event_rate: float = 20.0
    realtime_event_burst: int = 100
    realtime_buffer: int = 2 * 1024 * 1024
    realtime_spread: float = 5.0
    realtime_origins: tuple[str, ...] = ("*",)
    link_schemes: tuple[str, ...] = ("https",)
    link_hosts: tuple[str, ...] = ()
    realtime_replay: int = 500  # notifications
    lease: float = 30.0
    poll: float = 1.0
    scheduler_interval: float = 1.0
    devices_per_user: int = 50
    device_stale_days: int = 30
    device_remove_days: int = 270
    audit_days: int = 400
    registry_days: int = 0
    counting_share: float = 0.05
    trusted_proxies: tuple[Network, ...] = ()
    public_url: str = ""
    settings_key: str = ""
    smtp_host: str = ""
    smtp_password: str = ""
    sendgrid_key: str = ""
    sendgrid_endpoint: str = SENDGRID_ENDPOINT
    mail_ca_file: str = ""
    mail_connections: int = 4
    mail_timeout: float = 30.0
    mail_rate: float = 1_000.0
    mail_days: int = 90
    mail_catcher: bool = False
    catcher_port: int = 8003
    catcher_smtp_port: int = 8025
    demo: bool = False
    console: bool = True
    log_level: str = "info"
    log_format: str = "json"
    owner: str = field(default_factory=_owner)

    def __repr__(self) -> str:
        return "Config(…)"  # it holds secrets

    @property
    def takes_user_tokens(self) -> bool:
        """Whether any key is configured that could verify one."""
        return bool(self.jwt_secret or self.jwt_jwks_url)

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach what listens on `host`."""
        return _is_loopback(self.host)

    @property
    def run_dir(self) -> Path:
        """What processes here leave for one another: the database's URI, metrics, the simulator's CA."""
        return self.data_dir / "run"


def load() -> Config:
    """Read NOTIFY_* from the environment.

    Raises ConfigurationError with every problem at once, each naming its variable.
    """
    env = Env(prefix="NOTIFY_", eager=False)
    config = Config(
        mongodb_uri=env.str("MONGODB_URI", Config.mongodb_uri, validate=_mongodb_uri),
        database=env.str("DATABASE", Config.database, validate=Regexp(r"[A-Za-z0-9_-]{1,38}\Z")),
        data_dir=env.path("DATA_DIR", Config.data_dir),
        host=env.str("HOST", Config.host),
        port=env.int("PORT", Config.port, validate=_PORT),
        realtime_port=env.int("REALTIME_PORT", Config.realtime_port, validate=_PORT),
        simulator_port=env.int("SIMULATOR_PORT", Config.simulator_port, validate=_PORT),
        web_processes=env.int("WEB_PROCESSES", Config.web_processes, validate=_COUNT),
        web_threads=env.int("WEB_THREADS", Config.web_threads, validate=_COUNT),
        worker_processes=env.int("WORKER_PROCESSES", Config.worker_processes, validate=_COUNT),
        worker_threads=env.int("WORKER_THREADS", Config.worker_threads, validate=_COUNT),
        fcm_project=env.str("FCM_PROJECT", Config.fcm_project),
        fcm_endpoint=env.str("FCM_ENDPOINT", Config.fcm_endpoint, validate=URL(schemes={"https"}, require_tld=False)),
        fcm_ca_file=env.str("FCM_CA_FILE", Config.fcm_ca_file, validate=_readable),
        fcm_transport=env.str("FCM_TRANSPORT", Config.fcm_transport, validate=OneOf(["curl", "sdk"])),
        fcm_connections=env.int("FCM_CONNECTIONS", Config.fcm_connections, validate=Range(1, 16)),
        fcm_timeout=env.float("FCM_TIMEOUT", Config.fcm_timeout, validate=_POSITIVE),
        fcm_rate=env.float("FCM_RATE", Config.fcm_rate, validate=_POSITIVE),
        fcm_ramp=env.float("FCM_RAMP", Config.fcm_ramp, validate=Range(min=0)),
        jwt_secret=env.str("JWT_SECRET", Config.jwt_secret, validate=_secret),
        jwt_secret_previous=env.str("JWT_SECRET_PREVIOUS", Config.jwt_secret_previous, validate=_secret),
        jwt_issuer=env.str("JWT_ISSUER", Config.jwt_issuer, validate=Length(min=1)),
        jwt_audience=env.str("JWT_AUDIENCE", Config.jwt_audience, validate=Length(min=1)),
        jwt_lifetime=env.int("JWT_LIFETIME", Config.jwt_lifetime, validate=Range(min=1)),
        jwt_jwks_url=env.str("JWT_JWKS_URL", Config.jwt_jwks_url, validate=_key_set_url),
        jwt_jwks_issuer=env.str("JWT_JWKS_ISSUER", Config.jwt_jwks_issuer),
        jwt_jwks_audience=env.str("JWT_JWKS_AUDIENCE", Config.jwt_jwks_audience),
        max_body=env.int("MAX_BODY", Config.max_body, validate=Range(1024, 12 * 1024 * 1024)),
        web_connections=env.int("WEB_CONNECTIONS", Config.web_connections, validate=Range(2, 100_000)),
        header_timeout=env.float("HEADER_TIMEOUT", Config.header_timeout, validate=_POSITIVE),
        body_timeout=env.float("BODY_TIMEOUT", Config.body_timeout, validate=_POSITIVE),
        rate_server=env.float("RATE_SERVER", Config.rate_server, validate=Range(0, 1_000_000)),
        rate_user=env.float("RATE_USER", Config.rate_user, validate=Range(0, 1_000_000)),
        rate_refused=env.float("RATE_REFUSED", Config.rate_refused, validate=Range(0, 1_000_000)),
        realtime_connections=env.int("REALTIME_CONNECTIONS", Config.realtime_connections, validate=Range(1, 1_000_000)),
        realtime_user_connections=env.int(
            "REALTIME_USER_CONNECTIONS", Config.realtime_user_connections, validate=Range(1, 10_000)
        ),
        realtime_unproved_connections=env.int(
            "REALTIME_UNPROVED_CONNECTIONS", Config.realtime_unproved_connections, validate=Range(1, 1_000_000)
        ),
        realtime_connect_timeout=env.float(
            "REALTIME_CONNECT_TIMEOUT", Config.realtime_connect_timeout, validate=_POSITIVE
        ),
        realtime_event_rate=env.float("REALTIME_EVENT_RATE", Config.realtime_event_rate, validate=_EVENTS),
        realtime_event_burst=env.int("REALTIME_EVENT_BURST", Config.realtime_event_burst, validate=Range(1, 10_000)),
        realtime_buffer=env.int("REALTIME_BUFFER", Config.realtime_buffer, validate=Range(256 * 1024, 1024**3)),
        realtime_spread=env.float("REALTIME_SPREAD", Config.realtime_spread, validate=Range(0, 25)),
        realtime_origins=_names(env, "REALTIME_ORIGINS", Config.realtime_origins, _origin),
        link_schemes=_names(env, "LINK_SCHEMES", Config.link_schemes, _scheme),
        link_hosts=_names(env, "LINK_HOSTS", Config.link_hosts, _host),
        realtime_replay=env.int("REALTIME_REPLAY", Config.realtime_replay, validate=Range(1, 10_000)),
        lease=env.float("LEASE", Config.lease, validate=_POSITIVE),
        poll=env.float("POLL", Config.poll, validate=_POSITIVE),
        scheduler_interval=env.float("SCHEDULER_INTERVAL", Config.scheduler_interval, validate=_POSITIVE),
        devices_per_user=env.int("DEVICES_PER_USER", Config.devices_per_user, validate=Range(1, 1000)),
        device_stale_days=env.int("DEVICE_STALE_DAYS", Config.device_stale_days, validate=_DAYS),
        device_remove_days=env.int("DEVICE_REMOVE_DAYS", Config.device_remove_days, validate=_DAYS),
        audit_days=env.int("AUDIT_DAYS", Config.audit_days, validate=_DAYS),
        registry_days=env.int("REGISTRY_DAYS", Config.registry_days, validate=Range(0, 36_500)),
        counting_share=env.float("COUNTING_SHARE", Config.counting_share, validate=_SHARE),
        trusted_proxies=_networks(env, "TRUSTED_PROXIES"),
        public_url=env.str("PUBLIC_URL", Config.public_url, validate=_public_url),
        settings_key=env.str("SETTINGS_KEY", Config.settings_key, validate=_secret),
        smtp_host=env.str("SMTP_HOST", Config.smtp_host),
        smtp_password=env.str("SMTP_PASSWORD", Config.smtp_password),
        sendgrid_key=env.str("SENDGRID_KEY", Config.sendgrid_key),
        sendgrid_endpoint=env.str(
            "SENDGRID_ENDPOINT", Config.sendgrid_endpoint, validate=URL(schemes={"https"}, require_tld=False)
        ),
        mail_ca_file=env.str("MAIL_CA_FILE", Config.mail_ca_file, validate=_readable),
        mail_connections=env.int("MAIL_CONNECTIONS", Config.mail_connections, validate=Range(1, 64)),
        mail_timeout=env.float("MAIL_TIMEOUT", Config.mail_timeout, validate=_POSITIVE),
        mail_rate=env.float("MAIL_RATE", Config.mail_rate, validate=_POSITIVE),
        mail_days=env.int("MAIL_DAYS", Config.mail_days, validate=_DAYS),
        mail_catcher=env.bool("MAIL_CATCHER", Config.mail_catcher),
        catcher_port=env.int("CATCHER_PORT", Config.catcher_port, validate=_PORT),
        catcher_smtp_port=env.int("CATCHER_SMTP_PORT", Config.catcher_smtp_port, validate=_PORT),
        demo=env.bool("DEMO", Config.demo),
        console=env.bool("CONSOLE", Config.console),
        log_level=env.str("LOG_LEVEL", Config.log_level, validate=OneOf(["debug", "info", "warning", "error"])),
        log_format=env.str("LOG_FORMAT", Config.log_format, validate=OneOf(["json", "console"])),
    )
    if problems := sorted([*_problems(env), *_contradictions(config)]):
        raise ConfigurationError(problems)
    return replace(
        config,
        fcm_endpoint=config.fcm_endpoint.rstrip("/"),
        sendgrid_endpoint=config.sendgrid_endpoint.rstrip("/"),
        public_url=config.public_url.rstrip("/"),
    )


def _problems(env: Env) -> list[str]:
    try:
        env.seal()
    except EnvValidationError as error:
        found: dict[str, list[str]] = dict(error.error_messages)  # type: ignore[arg-type] # a list only when eager
        return [f"{name}: {message}" for name, messages in found.items() for message in messages]
    return []


def _mail_contradictions(config: Config) -> list[str]:
    if config.smtp_password and config.smtp_host == "":
        return ["NOTIFY_SMTP_PASSWORD: is set, but NOTIFY_SMTP_HOST, the server that it is for, is not."]
    return []


def _contradictions(config: Config) -> list[str]:
    """What is wrong with settings taken together; one that is wrong by itself is None here."""
    found = _mail_contradictions(config)
    if config.jwt_secret_previous and config.jwt_secret == "":
        found.append("NOTIFY_JWT_SECRET_PREVIOUS: is set, but NOTIFY_JWT_SECRET, which takes its place, is not.")
    elif config.jwt_secret_previous and config.jwt_secret_previous == config.jwt_secret:
        found.append("NOTIFY_JWT_SECRET_PREVIOUS: is the same as NOTIFY_JWT_SECRET.")
    if config.demo and not config.is_local:
        found.append("NOTIFY_DEMO: is for this machine alone, but NOTIFY_HOST is not 127.0.0.1.")
    stale, removed = config.device_stale_days, config.device_remove_days
    if None not in {stale, removed} and stale > removed:
        found.append("NOTIFY_DEVICE_STALE_DAYS: is more than NOTIFY_DEVICE_REMOVE_DAYS.")
    if config.jwt_jwks_url == "":
        for name, value in (("ISSUER", config.jwt_jwks_issuer), ("AUDIENCE", config.jwt_jwks_audience)):
            if value:
                found.append(f"NOTIFY_JWT_JWKS_{name}: is set, but NOTIFY_JWT_JWKS_URL is not.")
    return found
