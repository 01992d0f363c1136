"""`python -m local.netsuite --port 8213 --data DIR`: the simulated NetSuite on loopback."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from local.cloud.serving import serve_until_stopped
from local.netsuite.app import create_app
from local.netsuite.errors import ControlError
from local.netsuite.simulator import ACCOUNT_ID, TIME_ZONE, Settings, Simulator


def main() -> None:
    """Read the arguments, build the simulator and serve it until SIGTERM."""
    arguments = _arguments()
    settings = Settings(
        folder=arguments.data,
        account_id=arguments.account,
        time_zone=arguments.time_zone,
        concurrency=arguments.concurrency,
    )
    try:
        simulator = Simulator(settings)
    except (ControlError, OSError) as problem:
        sys.exit(f"the simulated NetSuite cannot start: {problem}")
    serve_until_stopped(create_app(simulator), arguments.port)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.netsuite", description="NetSuite, simulated on loopback")
    parser.add_argument("--port", type=int, default=8213)
    parser.add_argument("--data", type=Path, required=True, help="folder that keeps the books from start to start")
    parser.add_argument("--account", default=ACCOUNT_ID, help="account id")
    parser.add_argument("--time-zone", default=TIME_ZONE, help="of the account")
    parser.add_argument("--concurrency", type=int, default=5, help="requests under way at one time")
    return parser.parse_args()


if __name__ == "__main__":
    main()
