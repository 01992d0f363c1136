"""One module for each group of commands."""

from __future__ import annotations

from typing import Any, Protocol

from infra.ops.commands import copies, keys, people, repairs, work


class _Group(Protocol):
    def register(self, commands: Any) -> None:
        """Add its commands. commands: what argparse calls subparsers."""
        ...


GROUPS: tuple[_Group, ...] = (work, repairs, keys, people, copies)
"""In the order `make ops` lists them."""
