"""How much a proof tried and how much of it failed, from what it printed or wrote.

A proof that says nothing of the kind has proved nothing: the answer is None, and the run says so.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MOST_GROWTH_MIB_PER_MINUTE = 2.0
"""Of the functions' memory under steady load; more would be a gigabyte in a working day."""

_SUMMARY = re.compile(r"^(?:=+ )?((?:\d+ [a-z]+(?:, )?)+) in [\d.]+s", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Count:
    """note: what a reader should know beside the two numbers."""

    tried: int
    failed: int
    note: str = ""


def summed(pattern: str) -> Callable[[str, Path], Count | None]:
    """The sum over all lines that match: the first group was tried, the second, if there is one, failed."""
    lines = re.compile(pattern, re.MULTILINE)

    def count(said: str, _: Path) -> Count | None:
        found = [[int(number) for number in match.groups()] for match in lines.finditer(said)]
        if not found:
            return None
        return Count(sum(tried for tried, *_ in found), sum(sum(failed) for _, *failed in found))

    return count


def passed(said: str, _: Path) -> Count | None:
    """Tests, as pytest's last line counts them."""
    summary = _SUMMARY.search(said)
    if summary is None:
        return None
    by_word = {word: int(number) for number, word in (entry.split() for entry in summary[1].split(", "))}
    failed = sum(by_word.get(word, 0) for word in ("failed", "error", "errors"))
    skipped = by_word.get("skipped", 0)
    return Count(by_word.get("passed", 0) + failed, failed, f"{skipped} skipped" if skipped else "")


def covered(said: str, _: Path) -> Count | None:
    """Modules without a gap; where there are gaps, nothing but those is named."""
    if whole := re.search(r"^(\d+) modules, every branch covered", said, re.MULTILINE):
        return Count(int(whole[1]), 0)
    gaps = len(re.findall(r"^\S+\.py: lines .*; branches from ", said, re.MULTILINE))
    return Count(gaps, gaps, "modules without a gap are not counted") if gaps else None


def chaos(_: str, figures: Path) -> Count | None:
    """Faults that struck; what did not end as it must."""
    told = _read(figures)
    if told is None:
        return None
    killed = sum(told["killed"].values())
    note = f"{killed} processes killed, {told['rows']} mails, {told['invoices']} invoices"
    return Count(sum(told["faults"].values()), len(told["surprises"]), note)


def load(_: str, figures: Path) -> Count | None:
    """Arrivals of the steady part; those refused, those lost, and memory that grows. How long answers took is told and
    fails nothing: that is also the doing of whatever else the machine does."""
    told = _read(figures)
    if told is None:
        return None
    steady = told["sustained"]
    lost = sum(steady["errors"].values()) + steady["mails"] - steady["mails_landed"]
    grew = steady["functions_mib_per_minute"]
    grows = grew > MOST_GROWTH_MIB_PER_MINUTE
    note = f"at {steady['rate_per_s']:g}/s, p99 {steady['answer_ms']['p99']:g} ms, memory {grew:+g} MiB a minute"
    return Count(steady["answered"], lost + grows, note)


def _read(figures: Path) -> dict[str, Any] | None:
    if not figures.exists():
        return None
    told: dict[str, Any] = json.loads(figures.read_text())
    return told
