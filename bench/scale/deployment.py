"""What is deployed, as far as it limits or costs, read from function.yaml, Terraform and the code."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Function:
    """memory_gib: of an instance. speaks: it opens sealed tokens. queue: its own, if it has one, with how many requests
    a second and at once it lets through."""

    name: str
    trigger: str
    timeout_s: float
    memory_gib: float
    min_instances: int
    speaks: bool
    secrets: frozenset[str]
    queue: str | None
    rate_per_s: float
    concurrent: int


@cache
def functions() -> Mapping[str, Function]:
    usual = _usual_queue()
    found = sorted((ROOT / "functions").glob("*/function.yaml"))
    return {path.parent.name: _function(path.parent.name, yaml.safe_load(path.read_text()), usual) for path in found}


@cache
def by_queue() -> Mapping[str, Function]:
    return {one.queue: one for one in functions().values() if one.queue}


@cache
def backups_kept() -> int:
    """Whole copies of the database that infra/firestore.tf keeps, daily and weekly ones."""
    text = (ROOT / "infra" / "firestore.tf").read_text()
    kept = 0
    for block in re.findall(r'"google_firestore_backup_schedule" "\w+" \{(.*?)\n\}', text, re.DOTALL):
        days = _number(block, r'retention = "(\d+)s"') / 86_400
        kept += round(days if "daily_recurrence" in block else days / 7)
    return kept


def _function(name: str, manifest: Mapping[str, Any], usual: Mapping[str, float]) -> Function:
    settings = {**usual, **manifest.get("queue_settings", {})}
    uses = manifest["uses"]
    return Function(
        name=name,
        trigger=manifest["trigger"],
        timeout_s=manifest["timeout_s"],
        memory_gib=_number(manifest["memory"], r"(\d+)Mi") / 1024,
        min_instances=manifest["min_instances"],
        speaks="tenants" in uses.get("keys", []),
        secrets=frozenset(uses.get("secrets", [])),
        queue=manifest.get("queue"),
        rate_per_s=settings["rate_per_s"],
        concurrent=int(settings["concurrent"]),
    )


def _usual_queue() -> Mapping[str, float]:
    text = (ROOT / "infra" / "queues.tf").read_text()
    return {name: _number(text, rf"usual_queue = .*\b{name} = (\d+)") for name in ("rate_per_s", "concurrent")}


def _number(text: str, pattern: str) -> float:
    found = re.search(pattern, text)
    if found is None:
        raise ValueError(f"{pattern!r} is not where it was")
    return float(found[1])
