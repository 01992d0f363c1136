"""requirements.txt: every package with its version, the marker it is meant for, and the hashes its files may have."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_PIN = re.compile(r"(?P<name>[a-z0-9][a-z0-9.-]*)==(?P<version>[^ ;]+)(?: ; (?P<marker>.+))?")
_HASH = re.compile(r"--hash=(sha256:[0-9a-f]{64})")


class LockError(Exception):
    """The lock cannot be used; the message is one sentence."""


@dataclass(frozen=True, slots=True)
class Locked:
    """name: normalized, as the lock writes it. marker: PEP 508; None for always."""

    name: str
    version: str
    marker: str | None
    hashes: tuple[str, ...]

    def text(self) -> str:
        pin = f"{self.name}=={self.version}" + (f" ; {self.marker}" if self.marker else "")
        return " \\\n    ".join([pin, *(f"--hash={one}" for one in self.hashes)]) + "\n"


def read_lock(path: Path) -> dict[str, Locked]:
    """By name, in the order of the file. Raises: LockError for a line that is neither pin nor hash nor remark."""
    found: dict[str, Locked] = {}
    for entry in _entries(path.read_text("utf-8")):
        pin, *hashes = entry.split(" --hash=")
        match = _PIN.fullmatch(pin)
        if match is None:
            raise LockError(f"{path.name} has a line that pins nothing: {pin!r}. Write it anew: make lock")
        if not hashes or not all(_HASH.fullmatch(f"--hash={one}") for one in hashes):
            raise LockError(f"{path.name} gives {match['name']} no sha256. Write it anew: make lock")
        found[match["name"]] = Locked(match["name"], match["version"], match["marker"], tuple(hashes))
    return found


def lock_text(packages: list[Locked]) -> str:
    return "".join(package.text() for package in packages)


def _entries(text: str) -> list[str]:
    """Logical lines without remarks, continued lines joined by one space."""
    told = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    joined = re.sub(r"\s*\\\n\s*", " ", told)
    return [line.strip() for line in joined.splitlines() if line.strip()]
