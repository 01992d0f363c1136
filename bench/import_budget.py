"""The budget of imports: which heavy modules each function may load, by name (import_budget.yaml)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

BUDGET_FILE = Path(__file__).with_name("import_budget.yaml")
DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class ImportBudget:
    """heavy: the modules that are watched. first_answer: by function, those that its first real answer may load.

    Nothing heavy may be loaded before the first request that proves who sent it.
    """

    heavy: tuple[str, ...]
    first_answer: Mapping[str, tuple[str, ...]]

    def allowed(self, function: str) -> tuple[str, ...]:
        return self.first_answer.get(function, self.first_answer[DEFAULT])


def read_budget(path: Path = BUDGET_FILE) -> ImportBudget:
    found = yaml.safe_load(path.read_text())
    parts = found["parts"]
    return ImportBudget(
        heavy=tuple(found["heavy"]),
        first_answer={
            name: tuple(module for part in chosen for module in parts[part])
            for name, chosen in found["first_answer"].items()
        },
    )
