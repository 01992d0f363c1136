"""`make serve f=timeline_read`: one function, from the code as it is now, beside a laptop cloud that runs.

It listens on a port of its own and shares everything else with the cloud: rows, queues, keys. Exit code 2 with a
sentence where it cannot start.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

from local.cloud.environment import environment
from local.cloud.ports import HOST, Ports, holder, is_free
from local.one_function.replay import NotReplayableError, manifest_of

PORT = 8299


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make serve", description=__doc__)
    parser.add_argument("function")
    parser.add_argument("--data", type=Path, default=Path(".local"))
    parser.add_argument("--port", type=int, default=PORT)
    options = parser.parse_args(arguments)
    ports = Ports()
    try:
        name = manifest_of(options.function).name
    except NotReplayableError as problem:
        print(problem, file=sys.stderr)
        return 2
    if is_free(ports.firestore):
        print("the laptop cloud does not run: start it with make run", file=sys.stderr)
        return 2
    if not is_free(options.port):
        print(f"port {options.port} is taken by {holder(options.port)}: choose another one", file=sys.stderr)
        return 2
    print(f"{name} at http://{HOST}:{options.port}; Ctrl-C stops it", flush=True)
    return _become_framework(name, options.port, environment(ports, options.data))


def _become_framework(name: str, port: int, variables: Mapping[str, str]) -> NoReturn:
    """Ctrl-C and signals then reach the framework itself."""
    command = [sys.executable, "-m", "functions_framework", "--target", name, "--host", HOST, "--port", str(port)]
    command += ["--source", f"functions/{name}/main.py"]
    os.execve(sys.executable, command, {**os.environ, **variables, "PYTHONPATH": os.getcwd()})  # noqa: S606 - no shell


if __name__ == "__main__":
    sys.exit(main())
