"""python -m bench load [--minutes 5] [--rate R] [--step 20] [--profile FILE]: the knee, then four fifths of it."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from bench.load.run import Wanted, run


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    wanted = Wanted(step_s=options.step, lasts_s=60 * options.minutes, at_rate=options.rate, profile=options.profile)
    load_before = os.getloadavg()[0]
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):  # the product's log lines
        outcome = run(wanted, lambda line: print(line, file=sys.stderr, flush=True))
    told = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "processors": os.cpu_count(),
        "load_before": round(load_before, 1),
        **asdict(outcome),
    }
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(told, indent=1) + "\n")
    sustained = {name: value for name, value in outcome.sustained.items() if not isinstance(value, list)}
    print(f"knee: {outcome.knee_per_s} arrivals a second")
    for name, value in sustained.items():
        print(f"  {name:<26}{value}")
    print(f"written: {options.json}")
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench load", description="The laptop cloud under load.")
    parser.add_argument("--minutes", type=float, default=5.0, help="of the steady part")
    parser.add_argument("--step", type=float, default=20.0, help="seconds of each rising rate")
    parser.add_argument("--rate", type=float, help="arrivals a second; skips the search for the knee")
    parser.add_argument("--profile", type=Path, help="stacks of the functions' worker (py-spy), for the steady part")
    parser.add_argument("--json", type=Path, default=Path("build/load.json"), help="where the figures go")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
