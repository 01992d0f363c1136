"""python -m bench chaos [--seed 7] [--messages 2000] [--contracts 50] [--kills 60] [--together] [--hasten] ...

Exit codes: 0 everything ended as it must, 1 something did not, and each such thing is a sentence.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from bench.chaos.run import Wanted, run


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    usual = Wanted()
    wanted = Wanted(
        seed=options.seed,
        messages=options.messages,
        contracts=options.contracts,
        kills=options.kills,
        every_s=options.every,
        isolated=not options.together,
        hasten=options.hasten,
        settles_within_s=options.settle or usual.settles_within_s,
        keep=options.keep,
    )
    began = time.monotonic()
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):  # the product's log lines
        outcome = run(wanted, lambda line: print(line, file=sys.stderr, flush=True))
    told = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "took_s": round(time.monotonic() - began),
        "load_after": round(os.getloadavg()[0], 1),
        **outcome.told,
        "surprises": outcome.surprises,
        "wanted": {name: str(value) for name, value in asdict(wanted).items()},
    }
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(told, indent=1) + "\n")
    for name, value in outcome.told.items():
        print(f"{name:<18}{value}")
    for surprise in outcome.surprises:
        print(f"wrong: {surprise}")
    print(f"written: {options.json}" if outcome.surprises else f"everything ended as it must; written: {options.json}")
    return 1 if outcome.surprises else 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    usual = Wanted()
    parser = argparse.ArgumentParser(prog="python -m bench chaos", description="The laptop cloud under faults.")
    parser.add_argument("--seed", type=int, default=usual.seed, help="of the faults: which, when, whom")
    parser.add_argument("--messages", type=int, default=usual.messages)
    parser.add_argument("--contracts", type=int, default=usual.contracts)
    parser.add_argument("--kills", type=int, default=usual.kills, help="of functions and of Cloud Tasks")
    parser.add_argument("--every", type=float, default=usual.every_s, help="seconds between two faults, on average")
    parser.add_argument("--together", action="store_true", help="all functions in one process (3 GB less memory)")
    parser.add_argument("--hasten", action="store_true", help="do not wait for leases and sweeps: let time pass")
    parser.add_argument("--settle", type=float, help="seconds after which it is given up")
    parser.add_argument("--keep", type=Path, help="a new folder that stays, with all logs")
    parser.add_argument("--json", type=Path, default=Path("build/chaos.json"), help="where the figures go")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
