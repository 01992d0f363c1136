"""Hold the modules where a mistake costs most to every line and every branch: python -m tests.covered [PART ...]

Each part's own tests run under coverage; what they leave out is printed, and is a failure.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import coverage

from tests.critical import PARTS, Part


def main(names: Sequence[str]) -> int:
    parts = [PARTS[name] for name in names or PARTS]
    with tempfile.TemporaryDirectory() as folder:
        kept = [Path(folder, str(number)) for number in range(len(parts))]
        runs = [_start(part, path) for part, path in zip(parts, kept, strict=True)]
        failed = [run.wait() for run in runs]
        if any(failed):
            print("tests fail, so what they cover says nothing")
            return 1
        gaps = [gap for part, path in zip(parts, kept, strict=True) for gap in _gaps(part, path)]
    print("\n".join(gaps) or f"{sum(len(part.modules) for part in parts)} modules, every branch covered")
    return 1 if gaps else 0


def _start(part: Part, kept: Path) -> subprocess.Popen[bytes]:
    python = [sys.executable, "-m", "coverage", "run", "--branch", f"--data-file={kept}"]
    tests = ["-m", "pytest", "-q", "--no-header", *part.tests]
    return subprocess.Popen([*python, f"--include={','.join(part.modules)}", *tests])


def _gaps(part: Part, kept: Path) -> list[str]:
    """One line for each module with a line or branch that no test takes."""
    found = coverage.Coverage(data_file=str(kept), branch=True)
    found.load()
    gaps = []
    for module in part.modules:
        _, _, _, lines, _ = found.analysis2(module)
        branches = found.branch_stats(module)
        untaken = sorted(line for line, (exits, taken) in branches.items() if taken < exits)
        if lines or untaken:
            gaps.append(f"{module}: lines {_told(lines)}; branches from {_told(untaken)}")
    return gaps


def _told(lines: Sequence[int]) -> str:
    return ", ".join(map(str, lines)) or "-"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
