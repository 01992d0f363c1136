"""`python -m local.quickbooks --port 8212 --data DIR`: the simulated QuickBooks Online on loopback."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from local.cloud.serving import serve_until_stopped
from local.quickbooks.app import create_app
from local.quickbooks.errors import ControlError
from local.quickbooks.simulator import Simulator


def main() -> None:
    """Read the arguments, build the simulator and serve it until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m local.quickbooks", description="QuickBooks Online, simulated")
    parser.add_argument("--port", type=int, default=8212)
    parser.add_argument("--data", type=Path, required=True, help="folder where the books are kept between runs")
    parser.add_argument("--clients", type=Path, help="JSON list of OAuth clients (see README.md)")
    parser.add_argument("--calls-per-minute", type=int, default=500)
    arguments = parser.parse_args()
    try:
        simulator = Simulator(arguments.data, calls_per_minute=arguments.calls_per_minute)
        for client in json.loads(arguments.clients.read_text()) if arguments.clients else []:
            simulator.grants.register(client)
    except (ControlError, OSError, ValueError) as problem:
        sys.exit(f"the simulated QuickBooks cannot start: {problem}")
    with simulator.ticking():
        serve_until_stopped(create_app(simulator), arguments.port)


if __name__ == "__main__":
    main()
