"""Run every proof under fire, and print one table.

python -m tests.torture                          all, in hours
python -m tests.torture --quick                  a slice of each, in minutes
python -m tests.torture --only simulation,load   these
python -m tests.torture --list                   what there is

Exit codes: 0 nothing failed, 1 something did or is missing, 2 no such part, 130 interrupted.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.torture.parts import PARTS, Part
from tests.torture.report import as_json, console, print_table
from tests.torture.run import ROOT, Outcome, carry_out


def main(arguments: Sequence[str], parts: Sequence[Part] = PARTS) -> int:
    options = _options(arguments)
    screen = console()
    if options.list:
        for part in parts:
            screen.print(f"{part.key:<18}{part.what}")
        return 0
    keys = options.only.split(",") if options.only else [part.key for part in parts]
    if unknown := [key for key in keys if key not in {part.key for part in parts}]:
        screen.print(f"no part {', '.join(unknown)}; there are: {', '.join(part.key for part in parts)}")
        return 2
    outcomes: list[Outcome] = []
    try:
        for part in (part for part in parts if part.key in keys):
            screen.print(f"{part.key}: {part.what} ...", style="dim")
            outcomes.append(carry_out(part, options.folder, quick=options.quick))
            _write(options.folder / "summary.json", outcomes[-1], quick=options.quick)
    except KeyboardInterrupt:
        print_table(screen, outcomes)
        screen.print("interrupted: what is not in the table did not run to its end")
        return 130
    print_table(screen, outcomes)
    return 1 if any(outcome.failed for outcome in outcomes) else 0


def _write(path: Path, outcome: Outcome, *, quick: bool) -> None:
    """After each part, beside what parts that ran at other times said: a long run may be done in pieces."""
    told: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({**told, outcome.part.key: as_json(outcome, quick=quick)}, indent=1) + "\n")


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.torture", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="a slice of each")
    parser.add_argument("--only", default="", help="parts, separated by commas")
    parser.add_argument("--list", action="store_true", help="name the parts")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "torture", help="where the files go")
    return parser.parse_args(arguments)


def _as_interrupt(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _as_interrupt)  # so that what runs is stopped as well
    sys.exit(main(sys.argv[1:]))
