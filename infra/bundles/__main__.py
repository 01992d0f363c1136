"""`python -m infra.bundles [--out build/bundles] [--cold-starts]`: build every bundle and print its size.

With --cold-starts each is also started in an environment of its own and asked once, in the laptop cloud (which needs
Java): seconds from process start to the first answer.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from infra.bundles.bundle import Bundler
from infra.bundles.lock import LockError
from infra.bundles.written import Written, write_bundles

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.bundles", description="One zip per function.")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "bundles")
    parser.add_argument("--cold-starts", action="store_true", help="start each and time its first answer")
    options = parser.parse_args()
    try:
        written = write_bundles(Bundler(ROOT), options.out, told=None if options.cold_starts else _print_size)
    except LockError as problem:
        print(problem, file=sys.stderr)
        return 2
    failed = _print_cold_starts(written) if options.cold_starts else 0
    locks = len({one.bundle.lock for one in written})
    total = sum(one.size for one in written)
    print(f"{len(written)} bundles, {locks} different locks, {total / 1e6:.1f} MB in {options.out}")
    return 1 if failed else 0


def _print_size(one: Written) -> None:
    print(_size(one))


def _size(one: Written) -> str:
    return f"{one.bundle.name:24}{one.size / 1000:8.0f} kB {len(one.bundle.packages):4} packages  {one.sha256[:12]}"


def _print_cold_starts(written: list[Written]) -> int:
    """The number of bundles that gave no answer."""
    from infra.bundles.first_answers import FirstAnswer, first_answers

    by_name = {one.bundle.name: one for one in written}

    def show(answer: FirstAnswer) -> None:
        took = answer.problem if answer.took_s is None else f"{1000 * answer.took_s:6.0f} ms"
        print(f"{_size(by_name[answer.function])}  {took}", flush=True)

    with tempfile.TemporaryDirectory(prefix="bundles-") as folder:
        answers = first_answers(written, Path(folder), told=show)
    return sum(answer.took_s is None for answer in answers)


if __name__ == "__main__":
    sys.exit(main())
