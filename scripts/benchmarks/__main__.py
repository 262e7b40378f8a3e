"""`scripts/bench NAME… [--json]`."""

import argparse
import importlib

from notify_server import logs

NAMES = (
    "delivery",
    "delivery_million",
    "channel",
    "latency",
    "accept",
    "device",
    "realtime",
    "templates",
    "email",
    "statistics",
    "export",
)


_MODULES = {"email": "mails"}  # a file email.py would stand before the standard library's, for scripts beside it


def module(name: str) -> str:
    """The module of a benchmark."""
    return f"scripts.benchmarks.{_MODULES.get(name, name)}"


def main() -> None:
    """Run the benchmarks that are named, or all."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"all, or some of: {', '.join(NAMES)}")
    parser.add_argument("--json", action="store_true", help="one JSON object a benchmark, each on its own line")
    arguments = parser.parse_args()
    wanted = NAMES if arguments.names in ([], ["all"]) else arguments.names
    if unknown := sorted(set(wanted) - set(NAMES)):
        parser.error(f"unknown benchmark {', '.join(unknown)}; there are: {', '.join(NAMES)}")
    logs.configure("error", "console", "bench")  # stdout is for the figures
    for name in wanted:
        result = importlib.import_module(module(name)).run()
        print(result.as_json() if arguments.json else result.as_text(), flush=True)


if __name__ == "__main__":
    main()
