"""Versions of the wrapping key: made and switched off in Cloud KMS by gcloud, or in the laptop's key file."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from infra.deploy.commands import Commands
from shared.errors import InputError
from shared.platform.wrapping_keys import FileWrappingKey

SETTLED_AFTER = timedelta(days=1)
"""A new primary version may take hours to reach everybody who wraps (cloud.google.com/kms/docs/consistency)."""


class Versions(Protocol):
    def count(self) -> int:
        """How many are valid."""
        ...

    def add(self) -> None:
        """A new one wraps from now on."""
        ...

    def retire(self) -> int:
        """Switch off all but the newest; returns how many. Raises: InputError while that is too early."""
        ...


def wrapping_versions(commands: Commands) -> Versions:
    """Of the key the wiring uses."""
    key_file = os.environ.get("LOCAL_WRAPPING_KEY_FILE")
    if key_file:
        return FileVersions(FileWrappingKey.load_or_create(Path(key_file)))
    return KmsVersions(os.environ["KMS_KEY"], commands)


class FileVersions:
    def __init__(self, key: FileWrappingKey) -> None:
        self._key = key

    def count(self) -> int:
        return self._key.versions

    def add(self) -> None:
        self._key.add_version()

    def retire(self) -> int:
        return self._key.retire_versions()


class KmsVersions:
    """name: "projects/p/locations/l/keyRings/r/cryptoKeys/k". Source: gcloud kms keys versions."""

    def __init__(self, name: str, commands: Commands, now: datetime | None = None) -> None:
        self._name = name
        self._commands = commands
        self._now = now or datetime.now(UTC)

    def count(self) -> int:
        return len(self._enabled())

    def add(self) -> None:
        """Asked again within the day it makes no other: the first may not have reached everybody."""
        newest = self._enabled()[:1]
        if newest and self._now - _created_at(newest[0]) < SETTLED_AFTER:
            return
        self._gcloud("create", "--primary", *self._key())

    def retire(self) -> int:
        """Switched off, not destroyed: a version that is missed after all can be switched on again."""
        newest, *older = self._enabled()
        if older and self._now - _created_at(newest) < SETTLED_AFTER:
            raise InputError("The newest version is younger than a day: some may still wrap with the one before.")
        for version in older:
            self._gcloud("disable", version["name"].rsplit("/", 1)[1], *self._key())
        return len(older)

    def _enabled(self) -> list[dict[str, str]]:
        """Newest first."""
        found: list[dict[str, str]] = json.loads(self._gcloud("list", *self._key(), "--format=json"))
        enabled = [version for version in found if version["state"] == "ENABLED"]
        return sorted(enabled, key=_created_at, reverse=True)

    def _key(self) -> list[str]:
        _, project, _, location, _, ring, _, key = self._name.split("/")
        return [f"--key={key}", f"--keyring={ring}", f"--location={location}", f"--project={project}"]

    def _gcloud(self, *arguments: str) -> str:
        return self._commands.run(["gcloud", "kms", "keys", "versions", *arguments, "--quiet"])


def _created_at(version: dict[str, str]) -> datetime:
    return datetime.fromisoformat(version["createTime"].replace("Z", "+00:00"))
