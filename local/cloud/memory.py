"""How much memory the laptop cloud takes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

import psutil

_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Memory:
    """RSS counts shared pages in every process, PSS splits them; PSS is 0 where the system does not tell."""

    rss_mib: float
    pss_mib: float


def memory_of(groups: Mapping[str, int]) -> dict[str, Memory]:
    """Return the memory of each process group, by the names given, and their sum as "total"."""
    sums = {name: [0, 0] for name in groups}
    names = {group: name for name, group in groups.items()}
    for process in psutil.process_iter():
        with suppress(psutil.Error, ProcessLookupError):
            name = names.get(os.getpgid(process.pid))
            if name is not None:
                used = process.memory_full_info()
                sums[name][0] += used.rss
                sums[name][1] += getattr(used, "pss", 0)
    memory = {name: Memory(round(rss / _MIB, 1), round(pss / _MIB, 1)) for name, (rss, pss) in sums.items()}
    rss_mib, pss_mib = sum(one.rss_mib for one in memory.values()), sum(one.pss_mib for one in memory.values())
    return {**memory, "total": Memory(round(rss_mib, 1), round(pss_mib, 1))}
