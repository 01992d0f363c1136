"""The laptop cloud whose functions reach Firestore through the proxy."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.cloud import QUOTA_VARIABLE, ROOT, BenchCloud
from bench.sellers import reading_the_store
from local.cloud.ports import HOST, Ports
from local.cloud.supervisor import Supervisor
from local.firestore_proxy.proxy import FirestoreProxy

QUOTA_UNITS_PER_MINUTE = 600_000
"""No limit: faults are what is measured."""

_EMULATOR = "FIRESTORE_EMULATOR_HOST"


@dataclass(frozen=True, slots=True)
class ProxiedCloud:
    """The functions go through the proxy; whoever looks on from outside asks the emulator itself."""

    cloud: BenchCloud
    proxy: FirestoreProxy


@contextmanager
def cloud_behind_proxy(seed: int, *, isolated: bool, keep: Path | None = None) -> Iterator[ProxiedCloud]:
    """keep: the folder to work in, left as it is afterwards; else one that vanishes."""
    ports = Ports.free()
    straight = f"{HOST}:{ports.firestore}"
    before = {name: os.environ.get(name) for name in (_EMULATOR, QUOTA_VARIABLE)}
    try:
        with _folder(keep) as folder, FirestoreProxy(straight, seed=seed) as proxy:
            supervisor = Supervisor(ports, folder, root=ROOT, isolated=isolated)
            supervisor.environment |= {_EMULATOR: proxy.address, QUOTA_VARIABLE: str(QUOTA_UNITS_PER_MINUTE)}
            with supervisor:
                # From here on it says where this process reads; no part that is started anew talks to Firestore.
                supervisor.environment[_EMULATOR] = straight
                cloud = BenchCloud(supervisor)
                with reading_the_store(cloud):
                    yield ProxiedCloud(cloud, proxy)
    finally:
        for name, value in before.items():
            os.environ.pop(name, None) if value is None else os.environ.update({name: value})


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        keep.mkdir(parents=True)
        yield keep
        return
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        yield Path(folder)
