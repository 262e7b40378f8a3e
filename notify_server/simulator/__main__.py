"""`python -m notify_server.simulator`: a simulator on its own, without the rest of the configuration."""

import argparse
from pathlib import Path

from notify_server.simulator.server import PROJECT, serve


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m notify_server.simulator", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8002)
    parser.add_argument("--directory", type=Path, default=Path("var/run/simulator"), help="for the certificates")
    parser.add_argument("--project", default=PROJECT)
    given = parser.parse_args()
    serve(given.host, given.port, given.directory, given.project)


if __name__ == "__main__":
    main()
