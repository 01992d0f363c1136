"""Every pair of crash points on the money path: a process dies, and the one that picks its work up dies as well.

python -m tests.crash_pairs                     every pair of every flow, on two processes: about 25 minutes
python -m tests.crash_pairs --flow void         those of the flows whose name holds "void"
python -m tests.crash_pairs --flow "an invoice that is sent" --first "after 3"
                                                those whose first strike is this one, as a failure names it
"""

from __future__ import annotations

import argparse
import io
import os
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import redirect_stdout
from functools import cache
from typing import Any

from tests import cash_flows, contract_flows, money_flows
from tests.crash import Flow, Plan, Report, Trial

MONEY_PATH: dict[str, Flow[Any]] = {
    found.flow.name: found.flow for module in (cash_flows, contract_flows, money_flows) for found in module.FLOWS
}
"""The flows between a quote and its payment, by name."""


def main(arguments: Sequence[str]) -> int:
    options = _options(arguments)
    names = [name for name in MONEY_PATH if options.flow in name]
    if not names:
        print(f"no flow's name holds {options.flow!r}; there are: {', '.join(MONEY_PATH)}")
        return 2
    began = time.monotonic()
    tried = failed = 0
    for report in _reports(names, options.first, options.processes):
        tried, failed = tried + report.tried, failed + len(report.failures)
        print(report, flush=True)
    print(f"{len(names)} flows, {tried} pairs, {failed} failures, {time.monotonic() - began:.0f} s")
    return 1 if failed or not tried else 0


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.crash_pairs", description=__doc__)
    parser.add_argument("--flow", default="", help="flows whose name holds this")
    parser.add_argument("--first", help="the first strike: how and the number of the call, such as 'after 3'")
    parser.add_argument("--processes", type=int, default=min(2, os.cpu_count() or 1))
    return parser.parse_args(arguments)


def _reports(names: Sequence[str], first: str | None, processes: int) -> Iterator[Report]:
    """One per flow, when all its pairs are tried. A process takes all pairs of one first strike at a time."""
    with ProcessPoolExecutor(processes) as pool:
        for name in names:
            firsts = [plan for plan in _trial(name).singles() if first in (None, f"{plan.mode} {plan.point}")]
            slices = [done.result() for done in as_completed([pool.submit(_try, name, plan) for plan in firsts])]
            failures = [failure for part in slices for failure in part.failures]
            ordered = sorted(failures, key=lambda failure: failure.plan.point)
            calls = slices[0].calls if slices else ()
            yield Report(name, calls, sum(part.tried for part in slices), tuple(ordered))


def _try(name: str, first: Plan) -> Report:
    """In a process of its own, whose log is of no use."""
    with redirect_stdout(io.StringIO()):
        trial = _trial(name)
        return trial.carry_out(trial.pairs(first))


@cache
def _trial(name: str) -> Trial[Any]:
    with redirect_stdout(io.StringIO()):
        return Trial(MONEY_PATH[name])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
