"""Tools with environments of their own, made by uv when first needed and kept in build/tools/ by their lock."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[2]


class MissingToolError(Exception):
    """Something must be installed first; the message is one sentence that says how."""


def environment(lock: Path) -> Path:
    """The bin folder of an environment with exactly what the hash-locked file names.

    Raises: MissingToolError if the packages cannot be had.
    """
    folder = ROOT / "build" / "tools" / f"{lock.stem}-{hashlib.sha256(lock.read_bytes()).hexdigest()[:12]}"
    if not folder.is_dir():
        made = folder.with_name(f"{folder.name}.{os.getpid()}")  # others may make the same one at the same time
        uv = shutil.which("uv") or str(Path(sys.executable).with_name("uv"))
        _run(uv, "venv", "-q", "--python", sys.executable, "--relocatable", str(made))
        _run(uv, "pip", "install", "-q", "-p", str(made), "--require-hashes", "-r", str(lock))
        try:
            made.rename(folder)
        except OSError:
            shutil.rmtree(made)
    return folder / "bin"


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        shown = " ".join(command[:3])
        raise MissingToolError(f"the checks of infra/ need packages that `{shown}` could not install: {done.stderr}")


def terraform() -> str:
    """Raises: MissingToolError."""
    found = shutil.which("terraform")
    if found is None:
        raise MissingToolError(
            "the checks of infra/ need terraform 1.9 or newer on the PATH:"
            " one binary, from the download page of the Terraform documentation"
        )
    return found


def gcloud() -> str:
    """Raises: MissingToolError."""
    found = shutil.which("gcloud")
    if found is None:
        raise MissingToolError(
            "checking gcloud commands needs the Google Cloud CLI: sudo apt-get install -y google-cloud-cli"
        )
    return found
