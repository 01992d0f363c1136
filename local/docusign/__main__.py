"""`python -m local.docusign --port 8211 --data DIR`: the simulated DocuSign on loopback."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from local.cloud.serving import serve_until_stopped
from local.docusign.app import create_app
from local.docusign.errors import ControlError
from local.docusign.simulator import Simulator


def main() -> None:
    """Read the arguments, build the simulator and serve it until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m local.docusign", description="DocuSign, simulated on loopback")
    parser.add_argument("--port", type=int, default=8211)
    parser.add_argument("--data", type=Path, required=True, help="folder for connect.jsonl, the log of notices")
    parser.add_argument("--seed", type=Path, help="JSON with accounts, users, clients and templates (see README.md)")
    arguments = parser.parse_args()
    simulator = Simulator(arguments.data)
    try:
        if arguments.seed:
            simulator.directory.seed(json.loads(arguments.seed.read_text("utf-8")))
    except (ControlError, OSError, ValueError) as problem:
        sys.exit(f"the simulated DocuSign cannot start: {problem}")
    with simulator.ticking():
        serve_until_stopped(create_app(simulator), arguments.port)


if __name__ == "__main__":
    main()
