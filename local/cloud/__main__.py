"""python -m local.cloud [--data .local] [--isolated]: run the laptop cloud until Ctrl-C or SIGTERM.

Exit codes: 0 stopped, 1 a part ended by itself, 2 it could not start (the sentence says why).
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from pathlib import Path

from local.cloud.manifests import ManifestError
from local.cloud.ports import HOST, Ports
from local.cloud.requirements_check import MissingToolError
from local.cloud.supervisor import StartError, State, Step, Supervisor

_LOOK_EVERY_S = 0.25


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m local.cloud", description="The laptop cloud.")
    parser.add_argument("--data", type=Path, default=Path(".local"), help="folder kept between runs")
    parser.add_argument("--root", type=Path, default=Path(), help="the project")
    parser.add_argument("--only", help="names of parts, with commas; all if not given")
    parser.add_argument("--free-ports", action="store_true", help="take free ports instead of the documented ones")
    parser.add_argument("--isolated", action="store_true", default=os.environ.get("ISOLATED") == "1")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, _as_interrupt)
    ports = Ports.free() if options.free_ports else Ports()
    only = frozenset(options.only.split(",")) if options.only else None
    cloud = Supervisor(
        ports, options.data, root=options.root, isolated=options.isolated, only=only, on_progress=_print_step
    )
    try:
        with cloud:
            print(f"functions at http://{HOST}:{ports.functions}, sign-in at http://{HOST}:{ports.identity}/signin")
            return _watch(cloud)
    except (StartError, MissingToolError, ManifestError) as problem:
        print(problem, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 0


def _watch(cloud: Supervisor) -> int:
    while not (ended := cloud.ended()):
        time.sleep(_LOOK_EVERY_S)
    for name in ended:
        print(f"{name} ended by itself: see {cloud.log_file(name)}", file=sys.stderr)
    return 1


def _print_step(step: Step) -> None:
    if step.state is not State.STARTING:
        print(f"{step.elapsed_s:6.2f} s  {step.name} {step.state}", flush=True)


def _as_interrupt(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
