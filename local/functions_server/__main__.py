"""python -m local.functions_server --port 8210 --root . --data DIR [--isolated].

All functions in one process, or with --isolated (or ISOLATED=1) one process each from the bundle that is deployed.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from local.cloud.ports import HOST, Ports
from local.cloud.serving import require_free
from local.functions_server import isolated
from local.functions_server.apps import load_functions
from local.functions_server.server import serve


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m local.functions_server", description="All functions, served.")
    parser.add_argument("--port", type=int, default=Ports().functions)
    parser.add_argument("--root", type=Path, default=Path(), help="the project: functions/, shared/")
    parser.add_argument("--data", type=Path, required=True, help="folder for bundles and the port map")
    parser.add_argument("--isolated", action="store_true", default=os.environ.get("ISOLATED") == "1")
    options = parser.parse_args()
    require_free(options.port)
    if options.isolated:
        _serve_isolated(options.root.resolve(), options.data.resolve(), options.port)
    else:
        sys.path.insert(0, str(options.root.resolve()))
        functions = load_functions(options.root.resolve() / "functions")
        serve(functions, options.port)


def _serve_isolated(root: Path, data: Path, port: int) -> None:
    names = sorted(path.parent.name for path in (root / "functions").glob("*/main.py"))
    try:
        ports, processes = isolated.start(root, names, data)
    except isolated.NotStartedError as problem:
        print(problem, file=sys.stderr)
        sys.exit(2)
    try:
        isolated.wait_until_listening(ports, processes)
        print(f"{len(ports)} functions behind http://{HOST}:{port}", file=sys.stderr)
        serve(isolated.Front(ports), port)
    except isolated.NotStartedError as problem:
        print(problem, file=sys.stderr)
        sys.exit(2)
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()


if __name__ == "__main__":
    main()
