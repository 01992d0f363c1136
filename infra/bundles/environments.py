"""An environment of its own for each lock, made by uv from its cache: only what the lock names can be imported.

The bytecode of packages comes from the environment this program runs in, which holds the same files: compiling them
again for every lock would take minutes.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import sysconfig
from contextlib import suppress
from pathlib import Path

from infra.deploy.commands import Commands


class Environments:
    """Below one folder; packages are linked from uv's cache, so that the next one costs next to nothing."""

    def __init__(self, folder: Path, commands: Commands, uv: Path | None = None) -> None:
        self._folder = folder
        self._commands = commands
        self._uv = uv or Path(sys.executable).with_name("uv")

    def make(self, lock: str) -> Path:
        """The folder `bin` of an environment with this lock's packages and no others.

        Raises: CommandError with what uv said, also for a package that another needs and the lock lacks.
        """
        place = self._folder / hashlib.sha256(lock.encode()).hexdigest()[:16]
        if not place.exists():
            self._fill(place, lock)
        return place / "bin"

    def _fill(self, place: Path, lock: str) -> None:
        uv = str(self._uv)
        place.parent.mkdir(parents=True, exist_ok=True)
        file = place.with_suffix(".txt")
        file.write_text(lock)
        try:
            self._commands.run([uv, "venv", "-q", "--python", sys.executable, str(place)])
            target = ["--python", str(place / "bin" / "python")]
            options = ["--require-hashes", "--link-mode", "hardlink"]
            self._commands.run([uv, "pip", "install", "-q", *target, *options, "-r", str(file)])
        except BaseException:
            shutil.rmtree(place, ignore_errors=True)
            raise
        _link_bytecode(place)


def _link_bytecode(place: Path) -> None:
    """Bytecode says which source it was made from; Python ignores it where that is not the file beside it."""
    ours = Path(sysconfig.get_path("purelib"))
    [theirs] = place.glob("lib/python*/site-packages")
    for package in theirs.iterdir():
        for folder, _, names in os.walk(package):
            compiled = ours / Path(folder).relative_to(theirs) / "__pycache__"
            if any(name.endswith(".py") for name in names) and compiled.is_dir():
                _link_all(compiled, Path(folder))


def _link_all(compiled: Path, beside: Path) -> None:
    into = beside / "__pycache__"
    into.mkdir(exist_ok=True)
    for file in compiled.iterdir():
        source = beside / f"{file.name.split('.')[0]}.py"
        if source.exists():
            with suppress(OSError):  # another file system: Python then compiles what it imports
                os.link(file, into / file.name)
