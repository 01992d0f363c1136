"""The proofs under fire, in the order they run: what is counted first, what needs the whole machine to itself last."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.torture.counts import Count, chaos, covered, load, passed, summed

Command = tuple[str, ...]
"""Arguments of Python."""

FIGURES = "FIGURES"
"""Stands in a command for the path of the JSON that the part is to write."""

SEED = "20260302"
MINUTE_S, HOUR_S = 60.0, 3600.0


TRACES = ("tests/hostile/test_privacy.py", "tests/hostile/test_run_privacy.py")
PRIVACY = (
    *TRACES,
    "tests/isolation/test_private.py",
    "tests/invariants/test_tenant_invariants.py",
    "tests/house/test_log_lines.py",
    "tests/test_log.py",
)
"""Where traces are searched."""


@dataclass(frozen=True, slots=True)
class Part:
    """One proof.

    key: what ONLY names. unit: of what is tried. needs: files and folders, from the root, without which there is no
    such proof. long, quick: what runs; several commands run at the same time and are counted together. count: from all
    they said and the JSON they wrote, or None where nothing can be counted. limit_s: whoever takes longer hangs.
    """

    key: str
    what: str
    unit: str
    needs: tuple[str, ...]
    long: tuple[Command, ...]
    quick: tuple[Command, ...]
    count: Callable[[str, Path], Count | None]
    limit_s: float


def _pytest(*arguments: str) -> Command:
    return ("-m", "pytest", *arguments)


def _hostile(*options: str) -> Command:
    """Without the search of traces, which is a part of its own."""
    return _pytest("tests/hostile", "-n", "2", *(f"--ignore={path}" for path in TRACES), *options)


def _crash_points(key: str, what: str, tombstone_s: int) -> Part:
    command = _pytest("tests/test_crash_flows.py", "--tombstone", str(tombstone_s))
    return Part(
        key,
        what,
        "plans",
        ("tests/test_crash_flows.py",),
        (command,),
        (command,),
        summed(r"^  .+: \d+ side effects, (\d+) plans, (\d+) failures"),
        30 * MINUTE_S,
    )


def _simulation(*slices: tuple[int, int], size: str) -> tuple[Command, ...]:
    """slices: (first seed, how many)."""
    return tuple(
        ("-m", "tests.simulation", "--from", str(first), "--seeds", str(seeds), "--size", size, "--go-on")
        for first, seeds in slices
    )


PARTS: tuple[Part, ...] = (
    _crash_points("crash", "every crash point", 3_600),
    _crash_points("crash-forgotten", "every crash point, task names forgotten at once", 0),
    _crash_points("crash-remembered", "every crash point, task names kept a day", 86_400),
    Part(
        "money",
        "random schedules from a won deal to its payment",
        "schedules",
        ("tests/cash_schedules.py", "tests/invariants/test_money_schedules.py"),
        (_pytest("tests/invariants/test_money_schedules.py"),),
        (_pytest("tests/invariants/test_money_schedules.py"),),
        summed(r"^  (\d+) schedules: "),
        30 * MINUTE_S,
    ),
    Part(
        "isolation",
        "two organizations, five roles, private mail",
        "tests",
        ("tests/isolation",),
        (_pytest("tests/isolation", "-n", "2"),),
        (_pytest("tests/isolation", "-n", "2"),),
        passed,
        30 * MINUTE_S,
    ),
    Part(
        "privacy",
        "what is logged, parked and counted, searched for what it was about",
        "tests",
        PRIVACY,
        (_pytest(*PRIVACY),),
        (_pytest(*PRIVACY),),
        passed,
        30 * MINUTE_S,
    ),
    Part(
        "hostile",
        "hostile input: requests, mail, pages, series",
        "tests",
        ("tests/hostile",),
        (_hostile("--hypothesis-profile=long", f"--hypothesis-seed={SEED}", "-o", "timeout=0"),),
        (_hostile(),),
        passed,
        6 * HOUR_S,
    ),
    Part(
        "coverage",
        "every branch of the code where a mistake costs most",
        "modules",
        ("tests/covered.py", "tests/critical.py"),
        (("-m", "tests.covered"),),
        (("-m", "tests.covered"),),
        covered,
        30 * MINUTE_S,
    ),
    Part(
        "pairs",
        "every pair of crash points on the money path",
        "pairs",
        ("tests/crash_pairs.py",),
        (("-m", "tests.crash_pairs"),),
        (("-m", "tests.crash_pairs", "--flow", "a contract is s"),),
        summed(r"^\d+ flows, (\d+) pairs, (\d+) failures"),
        6 * HOUR_S,
    ),
    Part(
        "simulation",
        "seeds of many mailboxes under sixty kinds of fault",
        "seeds",
        ("tests/simulation",),
        _simulation((0, 10_000), (10_000, 10_000), size="hours"),
        _simulation((0, 150), (150, 150), size="quick"),
        summed(r"^(\d+) seeds, .*; (\d+) failed"),
        12 * HOUR_S,
    ),
    Part(
        "mutation",
        "small wrong versions of the code where a mistake costs most",
        "mutants",
        ("tests/mutation",),
        (("-m", "tests.mutation"),),
        (("-m", "tests.mutation", "--sample", "2", "--seed", SEED),),
        summed(r"^\S+\.py: (\d+) tried, .* (\d+) unexplained"),
        11 * HOUR_S,
    ),
    Part(
        "chaos",
        "the laptop cloud under kills, freezes and refusals",
        "faults",
        ("bench/chaos", "local/firestore_proxy"),
        (("-m", "bench", "chaos", "--seed", "7", "--json", FIGURES),),
        (
            (
                "-m", "bench", "chaos", "--seed", "7", "--messages", "120", "--contracts", "4", "--kills", "6",
                "--every", "1", "--together", "--hasten", "--json", FIGURES,
            ),
        ),
        chaos,
        2 * HOUR_S,
    ),
    Part(
        "load",
        "the laptop cloud at four fifths of what it can bear",
        "arrivals",
        ("bench/load",),
        (("-m", "bench", "load", "--json", FIGURES),),
        (("-m", "bench", "load", "--rate", "3", "--minutes", "0.5", "--json", FIGURES),),
        load,
        2 * HOUR_S,
    ),
)  # fmt: skip
