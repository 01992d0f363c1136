"""Mutate the modules where a mistake costs most, and write down which mutants no test noticed.

python -m tests.mutation mail                             all modules of this part
python -m tests.mutation mail shared/domain/lease.py      this one; prints
python -m tests.mutation money --sample 10 --seed 3       ten mutants of each module

Every mutant meets the tests that execute its line, the quickest first, in a process of its own.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import pytest

from tests.critical import PARTS
from tests.mutation.report import summary, write_page
from tests.mutation.session import Mutation


def main(arguments: Sequence[str]) -> int:
    options = _options(arguments)
    part = PARTS[options.part]
    modules = options.modules or part.modules
    mutation = Mutation(modules, sample=options.sample, seed=options.seed, minutes=options.minutes)
    plugins = ["-p", "no:xdist", "-o", "timeout=0", "-p", "no:cacheprovider", "-W", "ignore"]
    pytest.main([*plugins, "-q", *(options.tests or part.tests)], plugins=[mutation])
    print(summary(mutation.results))
    if options.write:
        write_page(options.part, mutation.results)
    return 1 if any(result.unexplained for result in mutation.results) or not mutation.results else 0


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("modules", nargs="*", help="paths from the root; without: all of the part")
    parser.add_argument("--tests", action="append", help="paths of tests, instead of those of the part")
    parser.add_argument("--sample", type=int, help="so many mutants of each module, drawn by the seed")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=600.0, help="stop after so long; what is left is counted")
    parser.add_argument("--write", action="store_true", help="put the result into docs/mutation.md")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
