"""The FCM simulator as a line of the Procfile."""

from notify_server.config import Config
from notify_server.simulator.server import PROJECT, serve


def run(config: Config) -> None:
    """Serve the simulator on NOTIFY_SIMULATOR_PORT until SIGTERM or SIGINT.

    It leaves ca.pem and service-account.json in run_dir/simulator: the server takes them as NOTIFY_FCM_CA_FILE and
    GOOGLE_APPLICATION_CREDENTIALS. This module needs the extra `simulator`. Raises ConfigurationError if the address
    cannot be had.
    """
    serve(config.host, config.simulator_port, config.run_dir / "simulator", config.fcm_project or PROJECT)
