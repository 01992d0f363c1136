"""`python -m bench.scale [--write]`: what so many mailboxes cost, and what runs out first.

Prints every table as Markdown; --write puts them into docs/scale.md.
"""

from __future__ import annotations

import argparse
import sys

from bench.scale.page import PAGE, filled
from bench.scale.tables import SECTIONS


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.scale", description="Cost and scale on paper.")
    parser.add_argument("--write", action="store_true", help=f"write the tables into {PAGE.name} instead")
    sections = {name: section() for name, section in SECTIONS.items()}
    if parser.parse_args().write:
        PAGE.write_text(filled(PAGE.read_text(), sections))
    else:
        for name, section in sections.items():
            print(f"## {name}\n\n{section}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
