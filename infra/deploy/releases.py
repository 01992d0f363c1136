"""Releases that were deployed, kept in the state bucket: what to go back to, and what may have been written.

releases/<id>/release.zip   the folder terraform was run in
releases/<id>/plan.bin      the plan that somebody approves, if it is applied by another build
releases/current.json       {"release": id}, the last one that passed its smoke test
releases/schema.json        {kind of document: newest version that any release may have written}
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from infra.deploy.cloud import Cloud
from infra.deploy.schema import Schema
from infra.deploy.stage import INFRA, PLAN, unzip, zipped


class Releases:
    """Every method raises CommandError if the bucket cannot be reached."""

    def __init__(self, cloud: Cloud, bucket: str) -> None:
        self._cloud = cloud
        self._root = f"gs://{bucket}/releases"

    def keep(self, release: str, folder: Path) -> None:
        """The folder and the plan in it."""
        with tempfile.TemporaryDirectory(prefix="release-") as place:
            file = Path(place) / "release.zip"
            file.write_bytes(zipped(folder))
            self._cloud.copy(str(file), f"{self._root}/{release}/release.zip")
        self._cloud.copy(str(folder / INFRA / PLAN), f"{self._root}/{release}/{PLAN}")

    def fetch(self, release: str, folder: Path, *, with_plan: bool) -> None:
        """Fill `folder` with what was kept."""
        with tempfile.TemporaryDirectory(prefix="release-") as place:
            file = Path(place) / "release.zip"
            self._cloud.copy(f"{self._root}/{release}/release.zip", str(file))
            unzip(file, folder)
        if with_plan:
            self._cloud.copy(f"{self._root}/{release}/{PLAN}", str(folder / INFRA / PLAN))

    def current(self) -> str | None:
        """The release that runs; None before the first one that passed."""
        text = self._cloud.read(f"{self._root}/current.json")
        return str(json.loads(text)["release"]) if text else None

    def now_runs(self, release: str) -> None:
        self._write("current.json", {"release": release})

    def schema(self) -> dict[str, int]:
        """Empty before the first release."""
        text = self._cloud.read(f"{self._root}/schema.json")
        return dict(json.loads(text)) if text else {}

    def may_write(self, schema: Schema) -> None:
        self._write("schema.json", dict(schema))

    def _write(self, name: str, content: object) -> None:
        with tempfile.TemporaryDirectory(prefix="release-") as place:
            file = Path(place) / name
            file.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n")
            self._cloud.copy(str(file), f"{self._root}/{name}")
