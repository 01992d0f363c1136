"""Every bundle started as the buildpack starts it, and asked once.

The zip is unpacked and its bytecode compiled; the framework's console script runs in an environment made from the
bundle's own lock, in the bundle's folder, which is then on no import path but the framework's own. The request is the
one that cold starts are measured with, in a running laptop cloud.
"""

from __future__ import annotations

import compileall
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

from bench.cloud import ROOT, BenchCloud, running_cloud
from bench.processes import first_answer_s
from bench.stand_ins import vendor_clients
from bench.trivial_requests import prepare, request_for
from infra.bundles.environments import Environments
from infra.bundles.written import Written
from infra.deploy.commands import SystemCommands
from local.cloud.manifests import Manifest, load_manifests


@dataclass(frozen=True, slots=True)
class FirstAnswer:
    """took_s: process start to the whole answer; None with the problem, if there was no answer below 500."""

    function: str
    took_s: float | None
    problem: str = ""


def first_answers(
    written: Sequence[Written],
    folder: Path,
    *,
    at_once: int = 1,
    told: Callable[[FirstAnswer], None] | None = None,
) -> list[FirstAnswer]:
    """Start each bundle in turn, `at_once` of them side by side.

    Args:
        folder: empty; for what is unpacked and for the environments.
    """
    environments = Environments(folder / "environments", SystemCommands())
    with ThreadPoolExecutor(2) as pool:
        homes = dict(pool.map(lambda lock: (lock, environments.make(lock)), {one.bundle.lock for one in written}))
        for name, file in {one.bundle.name: one.file for one in written}.items():
            _unpack(file, folder / name)
    manifests = {manifest.name: manifest for manifest in load_manifests(ROOT / "functions")}
    with running_cloud() as cloud, ThreadPoolExecutor(at_once) as pool:
        prepare(cloud)
        surroundings = {**vendor_clients(folder), **cloud.supervisor.environment}

        def ask(one: Written) -> FirstAnswer:
            name = one.bundle.name
            answer = _ask(manifests[name], folder / name, homes[one.bundle.lock], cloud, surroundings)
            if told is not None:
                told(answer)
            return answer

        return list(pool.map(ask, written))


def _unpack(file: Path, folder: Path) -> None:
    with ZipFile(file) as zipped:
        zipped.extractall(folder)
    if not compileall.compile_dir(folder, quiet=2, force=True):
        raise RuntimeError(f"not every module of {file.name} compiles, so that it could not be deployed")


def _ask(
    manifest: Manifest, folder: Path, home: Path, cloud: BenchCloud, surroundings: Mapping[str, str]
) -> FirstAnswer:
    framework = home / "functions-framework"
    try:
        took_s = first_answer_s(folder, manifest.name, request_for(manifest, cloud), surroundings, framework)
    except (RuntimeError, TimeoutError) as problem:
        return FirstAnswer(manifest.name, None, str(problem))
    return FirstAnswer(manifest.name, took_s)
