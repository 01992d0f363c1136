"""Play many seeds, or tell the story of one.

python -m tests.simulation --seeds 20000 --from 0
python -m tests.simulation --seed 17 --story

A failing seed is cut down to the little it needs to fail, and that is told. Sizes: quick (an hour at most, what `make
test` plays), hours, days.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

REPEATABLE = "0"
SHRINKS_WITH_PATIENCE = timedelta(hours=9)


@dataclass
class Totals:
    played: int = 0
    simulated_s: float = 0.0
    real_s: float = 0.0
    faults: Counter[str] = field(default_factory=Counter)
    seeds_with: Counter[str] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)
    persons: Counter[str] = field(default_factory=Counter)
    longest_min: float = 0.0
    failed: list[int] = field(default_factory=list)


def main(arguments: Sequence[str]) -> int:
    options = _options(arguments)
    if options.seed is not None:
        return _one(options)
    return _many(options)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=300, help="how many seeds to play")
    parser.add_argument("--from", dest="first", type=int, default=0, help="the first of them")
    parser.add_argument("--seed", type=int, help="play this one alone")
    parser.add_argument("--size", choices=("quick", "hours", "days"), default="hours", help="how much happens")
    parser.add_argument("--story", action="store_true", help="cut a failing seed down and tell what happens in it")
    parser.add_argument("--for", dest="minutes", type=float, help="stop after so many real minutes")
    parser.add_argument("--go-on", action="store_true", help="play all seeds, also after one failed")
    return parser.parse_args(arguments)


def _many(options: argparse.Namespace) -> int:
    from tests.simulation.plan import Size, make_plan
    from tests.simulation.play import play

    totals, began = Totals(), time.monotonic()
    for seed in range(options.first, options.first + options.seeds):
        if options.minutes and time.monotonic() - began > 60 * options.minutes:
            break
        outcome = play(make_plan(seed, Size(options.size)))
        totals.played += 1
        totals.simulated_s += outcome.simulated_s
        totals.real_s += outcome.real_s
        totals.faults += outcome.faults
        totals.seeds_with.update(set(outcome.faults))
        totals.calls += outcome.calls
        totals.persons.update(state.rpartition(": ")[2] for state in outcome.persons)
        if outcome.settled_after is not None:
            totals.longest_min = max(totals.longest_min, outcome.settled_after.total_seconds() / 60)
        if outcome.wrong:
            totals.failed.append(seed)
            print(f"seed {seed}: {outcome.wrong[0]}")
            print(f"  replay: {_command(seed, options.size)}", flush=True)
            if not options.go_on:
                break
    _print_totals(totals)
    return 1 if totals.failed else 0


def _command(seed: int, size: str) -> str:
    return f"python -m tests.simulation --seed {seed}{'' if size == 'hours' else f' --size {size}'} --story"


def _print_totals(totals: Totals) -> None:
    print(f"\n{'fault':<45}{'struck':>10}{'in seeds':>10}")
    for name in sorted(totals.faults):
        print(f"{name:<45}{totals.faults[name]:>10}{totals.seeds_with[name]:>10}")
    print(f"\n{'function':<45}{'calls':>10}")
    for name in sorted(totals.calls):
        print(f"{name:<45}{totals.calls[name]:>10}")
    print(f"\nwait for a person in the end: {dict(totals.persons)}")
    speed = totals.simulated_s / max(totals.real_s, 1e-9)
    print(
        f"{totals.played} seeds, {totals.simulated_s / 86_400:.1f} simulated days in {totals.real_s:.1f} s: "
        f"{speed:,.0f} times real time; settled at the latest {totals.longest_min:.0f} min after the last fault; "
        f"{len(totals.failed)} failed {totals.failed if totals.failed else ''}"
    )


def _one(options: argparse.Namespace) -> int:
    from tests.simulation.plan import Plan, Size, make_plan
    from tests.simulation.play import play
    from tests.simulation.shrink import shrink

    plan = make_plan(options.seed, Size(options.size))
    outcome = play(plan)
    if outcome.wrong and options.story:
        kinds = _kind(outcome.wrong)

        def fails(smaller: Plan) -> bool:
            return _kind(play(smaller, patience=SHRINKS_WITH_PATIENCE).wrong) == kinds

        outcome = play(shrink(plan, fails))
    if options.story:
        shown = outcome.plan
        print(f"seats: {', '.join(f'{seat.user_id} {seat.account} in {seat.tenant}' for seat in shown.seats)}")
        print(f"contacts: {', '.join(f'{address} in {tenant}' for tenant, address in shown.contacts)}")
        print(f"{shown.past_mails} mails of the past, pages of {shown.page}, tombstones for {shown.tombstone_s:.0f} s")
        print(f"weather: {', '.join(sorted(shown.weather)) or 'fair'}")
        for at, words in outcome.lines:
            print(f"{at:%a %H:%M:%S} {words}")
    for words in outcome.wrong:
        print(f"WRONG {words}")
    print(f"settled {outcome.settled_after} after the last fault; waiting: {outcome.persons}")
    print(f"replay: {_command(options.seed, options.size)}")
    return 1 if outcome.wrong else 0


def _kind(wrong: Sequence[str]) -> str:
    """What kind of wrong it is: the words of the first complaint, without names and numbers."""
    if not wrong:
        return ""
    return " ".join(word for word in wrong[0].split() if word.isalpha())


def _repeatable(run: Callable[[Sequence[str]], int]) -> int:
    """Sets of texts have an order that differs from process to process, unless it is told which."""
    if os.environ.get("PYTHONHASHSEED") != REPEATABLE:
        os.environ["PYTHONHASHSEED"] = REPEATABLE
        os.execv(sys.executable, [sys.executable, "-m", "tests.simulation", *sys.argv[1:]])  # noqa: S606 - ourselves
    return run(sys.argv[1:])


if __name__ == "__main__":
    raise SystemExit(_repeatable(main))
