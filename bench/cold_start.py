"""Cold start of every function: process start to first answer, beside its floor and beside a vendor's sample.

The floor is the framework and the Google clients that the function's first answer cannot do without, each with one call
to the laptop cloud; everything above it is ours.
"""

from __future__ import annotations

import os
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from bench.cloud import ROOT, BenchCloud, running_cloud
from bench.floors import CALLS, eager_program, floor_name, floor_program
from bench.import_budget import read_budget
from bench.processes import Start, compiled_bundle, first_answer
from bench.report import Aim, Figure, Report
from bench.stand_ins import vendor_clients
from bench.trivial_request import TrivialRequest
from bench.trivial_requests import prepare, request_for
from infra.bundles.bundle import Bundler
from local.cloud.manifests import Manifest, load_manifests

ABOVE_FLOOR_MS = 60.0
RUNS, QUICK_RUNS = 5, 3
STARTS_A_FLOOR = 5
"""So many functions are compared with one start of their floor right before them: a busy machine slows both alike."""
QUICK = ("gmail_push", "message_ingest", "timeline_read")

_PLAIN = TrivialRequest("GET")


@dataclass(slots=True)
class _Times:
    """Milliseconds of every start, by what was started. above: of a function above its floor; processor: the same of
    the time it computed."""

    floors: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    eager: list[float] = field(default_factory=list)
    functions: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    above: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    processor: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))


def run(quick: bool) -> Report:
    """Medians of 5 starts of each, taken in turns. Quick: three functions, 3 starts each."""
    with running_cloud() as cloud, tempfile.TemporaryDirectory(prefix="bench-") as folder:
        prepare(cloud)
        manifests = [one for one in load_manifests(ROOT / "functions") if not quick or one.name in QUICK]
        return _report(_measure(cloud, Path(folder), manifests, QUICK_RUNS if quick else RUNS))


def _measure(cloud: BenchCloud, folder: Path, manifests: Sequence[Manifest], runs: int) -> _Times:
    budget, times, bundler = read_budget(), _Times(), Bundler(ROOT)
    alike: defaultdict[tuple[str, ...], list[Manifest]] = defaultdict(list)
    for manifest in manifests:
        alike[tuple(part for part in CALLS if part in budget.allowed(manifest.name))].append(manifest)
        compiled_bundle(bundler, manifest.name, folder / "bundles")
    environment = {**vendor_clients(folder), **cloud.supervisor.environment}
    floors = {parts: floor_program(parts, folder) for parts in alike}
    eager = eager_program(folder)

    def start(place: Path, target: str, request: TrivialRequest) -> Start:
        return first_answer(place, target, request, environment)

    for _ in range(runs):
        times.eager.append(1000 * start(eager, "eager", _PLAIN).took_s)
        for parts, members in alike.items():
            floor = Start(0.0, 0.0)
            for number, manifest in enumerate(members):
                if number % STARTS_A_FLOOR == 0:
                    floor = start(floors[parts], "floor", _PLAIN)
                    times.floors[floor_name(parts)].append(1000 * floor.took_s)
                one = start(folder / "bundles" / manifest.name, manifest.name, request_for(manifest, cloud))
                times.functions[manifest.name].append(1000 * one.took_s)
                times.above[manifest.name].append(1000 * (one.took_s - floor.took_s))
                times.processor[manifest.name].append(1000 * (one.processor_s - floor.processor_s))
    return times


def _report(times: _Times) -> Report:
    figures = [Figure(f"floor: {name}", median(taken), "ms") for name, taken in times.floors.items()]
    figures.append(Figure("vendor sample, everything imported", median(times.eager), "ms"))
    for name in sorted(times.functions):
        detail = (
            f"{median(times.functions[name]):.0f} ms in all; computes {median(times.processor[name]):.0f} ms longer"
        )
        figures.append(Figure(f"{name} above its floor", median(times.above[name]), "ms", Aim(ABOVE_FLOOR_MS), detail))
    load_1m, _, _ = os.getloadavg()
    note = (
        f"Process start to first answer, bytecode compiled; medians of {len(times.eager)}, each beside its floor. "
        f"This machine: {os.cpu_count()} processors, load {load_1m:.1f} at the end (a quiet one has 1 to 2)."
    )
    return Report("cold_start", tuple(figures), (note,))
