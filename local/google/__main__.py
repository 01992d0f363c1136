"""`python -m local.google --port 8205 --data DIR`: the simulated Google on loopback."""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
from pathlib import Path

from local.cloud.serving import log_lines, serve_until_stopped
from local.google.app import create_app
from local.google.errors import ControlError
from local.google.publisher import EmulatorPublisher, publish_nowhere
from local.google.service import Settings
from local.google.simulator import Simulator
from shared.providers.google.prices import DEFAULT_QUOTA_UNITS_PER_MINUTE

_TICK_S = 0.1


def main() -> None:
    """Read the arguments, build the simulator and serve it until SIGTERM."""
    arguments = _arguments()
    settings = Settings(
        folder=arguments.data,
        gmail_units_per_minute=arguments.quota_units_per_minute,
        calendar_calls_per_minute=arguments.calendar_calls_per_minute,
    )
    pubsub = os.environ.get("PUBSUB_EMULATOR_HOST", "")
    if not pubsub:
        log_lines("google").warning("PUBSUB_EMULATOR_HOST is not set: Gmail's notifications go nowhere")
    simulator = Simulator(settings, publish=EmulatorPublisher(pubsub) if pubsub else publish_nowhere)
    try:
        for client in json.loads(arguments.clients.read_text()) if arguments.clients else []:
            simulator.grants.register(client)
        if arguments.load:
            simulator.load(arguments.load)
    except (ControlError, OSError, ValueError) as problem:
        sys.exit(f"the simulated Google cannot start: {problem}")
    threading.Thread(target=_tick_forever, args=(simulator,), daemon=True).start()
    serve_until_stopped(create_app(simulator), arguments.port)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.google", description="Google, simulated on loopback")
    parser.add_argument("--port", type=int, default=8205)
    parser.add_argument("--data", type=Path, required=True, help="folder for the signing key, states and raw mail")
    quota = int(os.environ.get("GMAIL_QUOTA_UNITS_PER_MINUTE") or DEFAULT_QUOTA_UNITS_PER_MINUTE)  # the product's too
    parser.add_argument("--quota-units-per-minute", type=int, default=quota)
    parser.add_argument("--calendar-calls-per-minute", type=int, default=600)
    parser.add_argument("--clients", type=Path, help="JSON list of OAuth clients (see README.md)")
    parser.add_argument("--load", metavar="NAME", help="begin with a state saved under this name")
    return parser.parse_args()


def _tick_forever(simulator: Simulator) -> None:
    pause = threading.Event()
    while not pause.wait(_TICK_S):
        try:
            simulator.tick()
        except Exception:
            log_lines("google").exception("what was due could not be done")  # the next tick must come all the same


if __name__ == "__main__":
    main()
