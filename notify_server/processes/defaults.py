"""What `up` fills in where the configuration leaves it open, and how its children are told."""

import json
import os
import secrets
import shutil
from dataclasses import replace
from pathlib import Path

from notify_server.config import MIN_SECRET, Config
from notify_server.errors import ConfigurationError

_OWNERS_ONLY = 0o600  # file mode


def uses_simulator(config: Config) -> bool:
    """Whether the FCM simulator stands in: it does until a Firebase project is configured."""
    return not config.fcm_project


def uses_catcher(config: Config) -> bool:
    """Whether mails are caught here: on one machine alone, until a mail service is configured.

    Settings that are made through the API count before it.
    """
    return config.is_local and not (config.smtp_host or config.sendgrid_key)


def complete(config: Config, mongodb_uri: str) -> Config:
    """The configuration with the values that hold while `up` runs.

    The key of user tokens is made once, and kept in data_dir/secrets.json for its owner's eyes only. Raises
    ConfigurationError when that file cannot be used.
    """
    secret = config.jwt_secret or _kept_secret(config.data_dir)
    config = replace(config, mongodb_uri=mongodb_uri, jwt_secret=secret, mail_catcher=uses_catcher(config))
    if not uses_simulator(config):
        return config
    from notify_server.simulator.server import PROJECT, url  # noqa: PLC0415 - an extra, needed here only

    endpoint, ca = url(config.host, config.simulator_port), simulator_directory(config) / "ca.pem"
    return replace(config, fcm_project=PROJECT, fcm_endpoint=endpoint, fcm_ca_file=str(ca))


def simulator_directory(config: Config) -> Path:
    """Where the simulator leaves its CA and a service account."""
    return config.run_dir / "simulator"


def environment(config: Config, *, simulator: bool) -> dict[str, str]:
    """What every child gets on top of the environment of `up`, from the completed configuration."""
    told = {
        "NOTIFY_DATA_DIR": str(config.data_dir),
        "NOTIFY_MONGODB_URI": config.mongodb_uri,
        "NOTIFY_JWT_SECRET": config.jwt_secret,
        "PROMETHEUS_MULTIPROC_DIR": str(_metrics_directory(config)),
        "NOTIFY_DEMO": str(config.is_local),
        "NOTIFY_MAIL_CATCHER": str(config.mail_catcher),
    }
    if simulator:
        told |= {
            "NOTIFY_FCM_PROJECT": config.fcm_project,
            "NOTIFY_FCM_ENDPOINT": config.fcm_endpoint,
            "NOTIFY_FCM_CA_FILE": config.fcm_ca_file,
            "GOOGLE_APPLICATION_CREDENTIALS": str(simulator_directory(config) / "service-account.json"),
        }
    return told


def clear_metrics(config: Config) -> None:
    """Begin with no counts of processes that are long gone (prometheus_client, "Multiprocess mode")."""
    shutil.rmtree(_metrics_directory(config), ignore_errors=True)
    _metrics_directory(config).mkdir(parents=True)


def _metrics_directory(config: Config) -> Path:
    return config.run_dir / "metrics"


def _kept_secret(data_dir: Path) -> str:
    path = data_dir / "secrets.json"
    if not path.exists():
        _keep(path, {"jwt_secret": secrets.token_urlsafe(48)})
    path.chmod(_OWNERS_ONLY)  # it may have been copied
    try:
        kept = json.loads(path.read_text())["jwt_secret"]
    except (ValueError, KeyError, TypeError):
        kept = None
    if not isinstance(kept, str) or len(kept) < MIN_SECRET:
        raise ConfigurationError([f"{path}: holds no jwt_secret of {MIN_SECRET} characters. Mend it, or remove it."])
    return kept


def _keep(path: Path, made: dict[str, str]) -> None:
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNERS_ONLY), "w") as file:
        json.dump(made, file)
    draft.replace(path)
