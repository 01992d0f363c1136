"""What stands in the way of a deploy: a sentence, and the command that mends it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """nothing_done: terraform says itself that it changed nothing."""

    sentence: str
    mend: str
    nothing_done: bool = False

    def __str__(self) -> str:
        return f"{self.sentence}\n    {self.mend}"


class DeployError(Exception):
    """The deploy stops here; whatever was done, the same command may be run again once the problems are mended."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)
