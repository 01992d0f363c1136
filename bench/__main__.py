"""`python -m bench [NAME ...] [--quick] [--json build/bench.json]`: measure, print tables, write JSON.

All benchmarks run if none is named, but for `backfill`, which takes three minutes, in --quick. Nothing is asserted: a
missed aim is printed, and the exit code is 0.

`python -m bench chaos` and `python -m bench load` are runs of their own: --help tells of them.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import sys
import time
import warnings
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import replace
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

from rich.console import Console

from bench.report import Report, missed, print_report

NAMES = ("operations", "mix", "cold_start", "push", "arrival", "cash", "throughput", "matching", "backfill")
"""In this order: the counts first, which nothing disturbs. Each is the module bench.<name>, with run(quick)."""

TABLE_WIDTH = 110


RUNS = ("chaos", "load")
"""Longer than a benchmark, each with options of its own: bench/<name>/__main__.py."""


def main() -> int:
    if sys.argv[1:2] and sys.argv[1] in RUNS:
        return int(import_module(f"bench.{sys.argv[1]}.__main__").main(sys.argv[2:]))
    options = _options()
    signal.signal(signal.SIGTERM, _as_interrupt)  # so that a benchmark stops what it started
    warnings.simplefilter("ignore", FutureWarning)  # of Google's libraries, about the Python version
    console = Console(width=None if sys.stdout.isatty() else TABLE_WIDTH)
    names = options.names or [name for name in NAMES if not (options.quick and name == "backfill")]
    reports = []
    for name in names:
        report = _run(name, quick=options.quick)
        print_report(console, report)
        reports.append(report)
    _write(options.json, reports, quick=options.quick)
    for line in missed(reports):
        console.print(f"missed: {line}")
    console.print(f"written: {options.json}")
    return 0


def _as_interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="What the product costs.")
    parser.add_argument("names", nargs="*", choices=[*NAMES, []], metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--quick", action="store_true", help="smaller runs, and no three-minute backfill")
    parser.add_argument("--json", type=Path, default=Path("build/bench.json"), help="where the figures go")
    return parser.parse_args()


def _run(name: str, *, quick: bool) -> Report:
    print(f"{name} ...", file=sys.stderr, flush=True)
    run: Callable[[bool], Report] = import_module(f"bench.{name}").run
    began = time.monotonic()
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):  # the product's log lines
        report = run(quick)
    return replace(report, took_s=time.monotonic() - began)


def _write(path: Path, reports: list[Report], *, quick: bool) -> None:
    load_1m, _, _ = os.getloadavg()
    document: dict[str, Any] = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "quick": quick,
        "python": platform.python_version(),
        "processors": os.cpu_count(),
        "load_after": round(load_1m, 2),
        "benchmarks": [report.as_json() for report in reports],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
