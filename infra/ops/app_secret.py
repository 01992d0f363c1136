"""The app's own secret at a vendor, with the keys of its notices: a file on the laptop, Secret Manager in a project."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Protocol

from infra.deploy.commands import Commands
from shared.errors import InputError
from shared.usecases.operations.rotate_connect_keys import fingerprint

KEYS = "verifier_tokens"


class AppSecret(Protocol):
    def read(self) -> dict[str, Any]: ...

    def write(self, content: Mapping[str, Any]) -> None: ...


def app_secret(name: str, commands: Commands) -> AppSecret:
    """name: as Secret Manager has it; its variable names the laptop's file."""
    path = os.environ.get(name.upper().replace("-", "_"))
    return FileSecret(Path(path)) if path else ManagedSecret(name, os.environ["GOOGLE_CLOUD_PROJECT"], commands)


class FileSecret:
    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> dict[str, Any]:
        return dict(json.loads(self._path.read_text()))

    def write(self, content: Mapping[str, Any]) -> None:
        """Whole or not at all, for its owner alone."""
        draft = _private_file(content, self._path.parent)
        os.replace(draft, self._path)


class ManagedSecret:
    """Source: gcloud secrets versions access, add. Mounted secrets follow the latest version by themselves."""

    def __init__(self, name: str, project: str, commands: Commands) -> None:
        self._where = [f"--secret={name}", f"--project={project}"]
        self._name = name
        self._commands = commands

    def read(self) -> dict[str, Any]:
        said = self._commands.run(["gcloud", "secrets", "versions", "access", "latest", *self._where])
        return dict(json.loads(said))

    def write(self, content: Mapping[str, Any]) -> None:
        draft = _private_file(content, None)
        try:
            project = self._where[1]
            self._commands.run(["gcloud", "secrets", "versions", "add", self._name, f"--data-file={draft}", project])
        finally:
            draft.unlink()


def _private_file(content: Mapping[str, Any], folder: Path | None) -> Path:
    with NamedTemporaryFile("w", dir=folder, delete=False) as draft:
        json.dump(content, draft, indent=1)
    return Path(draft.name)


def with_key(content: Mapping[str, Any], key: str) -> dict[str, Any]:
    """The new key first; once only. Raises: InputError for none."""
    if not key:
        raise InputError("Give the new key on standard input: one line, nothing else.")
    keys = content.get(KEYS, [])
    return {**content, KEYS: keys if key in keys else [key, *keys]}


def without_key(content: Mapping[str, Any], retired: str) -> dict[str, Any]:
    """Raises: InputError for the last one."""
    kept = [key for key in content.get(KEYS, []) if fingerprint(key) != retired]
    if not kept:
        raise InputError("This is the only key: without one every notice would be refused. Add the new one first.")
    return {**content, KEYS: kept}
