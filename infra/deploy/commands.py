"""Other people's programs: gcloud, terraform, uv."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

NOT_FOUND = 127
"""The code of a program that is not installed, as shells have it."""


@dataclass(frozen=True, slots=True)
class Done:
    """How a program ended."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """What it complained of, for people."""
        return (self.err or self.out).strip()


class CommandError(Exception):
    """A program ended with a code other than 0."""

    def __init__(self, arguments: Sequence[str], done: Done) -> None:
        super().__init__(f"{' '.join(arguments[:3])} ended with code {done.code}: {done.said[-2000:]}")
        self.done = done


class Commands(Protocol):
    """Runs programs to their end."""

    def ask(self, arguments: Sequence[str], *, folder: Path | None = None) -> Done:
        """How it ended, whatever that was; code 127 for a program that is not there."""
        ...

    def run(self, arguments: Sequence[str], *, folder: Path | None = None) -> str:
        """What it printed. Raises: CommandError."""
        ...

    def show(self, arguments: Sequence[str], *, folder: Path | None = None) -> Done:
        """How it ended; what it prints is seen as it comes, what it complains of at its end."""
        ...

    def with_variables(self, variables: Mapping[str, str]) -> Commands:
        """The same programs, with more in their environment."""
        ...


class SystemCommands:
    """The programs on PATH. Nothing is handed to a shell.

    environment: variables besides, or instead of, those of this process.
    """

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._environment = {**os.environ, **(environment or {})}

    def ask(self, arguments: Sequence[str], *, folder: Path | None = None) -> Done:
        return self._done(arguments, folder, shown=False)

    def run(self, arguments: Sequence[str], *, folder: Path | None = None) -> str:
        done = self.ask(arguments, folder=folder)
        if done.code:
            raise CommandError(arguments, done)
        return done.out

    def show(self, arguments: Sequence[str], *, folder: Path | None = None) -> Done:
        done = self._done(arguments, folder, shown=True)
        sys.stderr.write(done.err)
        return done

    def with_variables(self, variables: Mapping[str, str]) -> SystemCommands:
        return SystemCommands({**self._environment, **variables})

    def _done(self, arguments: Sequence[str], folder: Path | None, *, shown: bool) -> Done:
        try:
            ended = subprocess.run(  # noqa: S603 - a list of arguments, and no shell
                list(arguments),
                cwd=folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,  # a question nobody answers must not hang a build
                stdout=None if shown else subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                check=False,
            )
        except FileNotFoundError:
            if folder is not None and not folder.is_dir():
                raise
            return Done(NOT_FOUND, "", f"{arguments[0]} is not installed")
        return Done(ended.returncode, ended.stdout or "", ended.stderr or "")
