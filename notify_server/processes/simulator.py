"""The FCM simulator as a line of the Procfile."""

from notify_server.config import Config
from notify_server.errors import ConfigurationError


def run(config: Config) -> None:
    """Serve the simulator on NOTIFY_SIMULATOR_PORT until SIGTERM or SIGINT.

    It leaves ca.pem and service-account.json in run_dir/simulator: the server takes them as NOTIFY_FCM_CA_FILE and
    GOOGLE_APPLICATION_CREDENTIALS. Raises ConfigurationError where the extra `simulator` is not installed.
    """
    try:
        from notify_server.simulator.server import PROJECT, serve
    except ModuleNotFoundError as error:
        raise ConfigurationError([f"{error.name} is missing: pip install notify-server[simulator]"]) from None
    serve(config.host, config.simulator_port, config.run_dir / "simulator", config.fcm_project or PROJECT)
