"""Runs terraform on a copy of infra/ with the stub provider: what would be made, as data."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.infra.terraform import tools
from tests.infra.terraform.tools import HERE, ROOT

SCHEMA = HERE / "google_schema.json"
PROJECT = "acme-throughline"
REGION = "europe-west1"
PROJECT_NUMBER = "123456789012"


class TerraformError(Exception):
    """What terraform said, without its colours."""


@dataclass(frozen=True, slots=True)
class Planned:
    """One thing a plan makes. address: within the configuration; values: what is known before it is made."""

    address: str
    kind: str
    key: str | None
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """content: `terraform show -json`. file: the same on disk, for the policy scan."""

    content: Mapping[str, Any]
    file: Path

    def of(self, kind: str) -> list[Planned]:
        return [found for found in self.everything() if found.kind == kind]

    def one(self, address: str) -> Planned:
        [found] = [found for found in self.everything() if found.address == address]
        return found

    def everything(self) -> list[Planned]:
        return list(_resources(self.content["planned_values"]["root_module"]))


def _resources(module: Mapping[str, Any]) -> Iterator[Planned]:
    for found in module.get("resources", ()):
        if found["mode"] == "managed":
            yield Planned(found["address"], found["type"], found.get("index"), found["values"])
    for child in module.get("child_modules", ()):
        yield from _resources(child)


def few_functions(folder: Path) -> Path:
    """Copies of a function of each kind, which need one of everything else."""
    functions = folder / "functions"
    for name in ("dead_letter_push", "gmail_push", "mailbox_poll", "message_ingest"):
        shutil.copytree(ROOT / "functions" / name, functions / name, ignore=shutil.ignore_patterns("__pycache__"))
    return functions


class Tree:
    """A copy of infra/ beside links to what it reads, with a local backend instead of the bucket.

    functions: the functions to deploy; the project's own unless a test brings others.
    """

    def __init__(self, folder: Path, functions: Path = ROOT / "functions") -> None:
        self.infra = folder / "infra"
        ignored = shutil.ignore_patterns(".terraform*", "*.tfstate*", "__pycache__", "*.py")
        shutil.copytree(ROOT / "infra", self.infra, ignore=ignored)
        (self.infra / "backend_override.tf").write_text('terraform {\n  backend "local" {}\n}\n')
        for target in (functions, ROOT / "firestore.indexes.json", ROOT / "firestore.rules"):
            (folder / target.name).symlink_to(target)
        self.bundles = folder / "bundles"
        self.bundles.mkdir()
        for manifest in functions.glob("*/function.yaml"):
            (self.bundles / f"{manifest.parent.name}.zip").write_bytes(manifest.parent.name.encode())

    def validate(self) -> None:
        """Raises: TerraformError."""
        with self._provider({}) as surroundings:
            self._init(surroundings)
            self._run(surroundings, "validate", "-no-color")

    def plan(
        self,
        environment: str,
        variables: Mapping[str, str] | None = None,
        *,
        found: Mapping[str, Mapping[str, Any]] | None = None,
        known_ids: bool = False,
    ) -> Plan:
        """Plan a new environment.

        environment: a file of infra/environments without its ending. found: what data sources find, by their type.
        known_ids: make up an id for everything, so that the plan shows which thing names which; terraform does not know
            them before, so that a plan without says whether it could be made at all.
        Raises: TerraformError.
        """
        data = {"google_project": {"number": PROJECT_NUMBER}, "google_storage_bucket_objects": {"bucket_objects": []}}
        given = {"data": data | dict(found or {}), "known_ids": known_ids}
        asked = {"project_id": PROJECT, "region": REGION, "bundles": str(self.bundles)} | dict(variables or {})
        with self._provider(given) as surroundings:
            self._init(surroundings)
            flags = [f"-var={name}={value}" for name, value in asked.items()]
            tfvars_flag = f"-var-file=environments/{environment}.tfvars"
            self._run(
                surroundings, "plan", "-input=false", "-no-color", "-lock=false", "-out=plan", tfvars_flag, *flags
            )
            shown = self._run(surroundings, "show", "-json", "plan")
        file = self.infra / "plan.json"
        file.write_text(shown)
        return Plan(json.loads(shown), file)

    def _init(self, surroundings: Mapping[str, str]) -> None:
        if not (self.infra / ".terraform").is_dir():
            self._run(surroundings, "init", "-input=false", "-no-color")

    def _run(self, surroundings: Mapping[str, str], *arguments: str) -> str:
        command = [tools.terraform(), f"-chdir={self.infra}", *arguments]
        done = subprocess.run(command, env=dict(surroundings), capture_output=True, text=True, check=False)
        if done.returncode:
            raise TerraformError(done.stderr or done.stdout)
        return done.stdout

    @contextmanager
    def _provider(self, answers: Mapping[str, Any]) -> Iterator[Mapping[str, str]]:
        """Serve the schema while terraform runs; gives its environment."""
        python = tools.environment(HERE / "stub_provider_requirements.txt") / "python"
        with tempfile.TemporaryDirectory() as meeting:  # a socket's path may have 107 characters
            told = Path(meeting) / "answers.json"
            told.write_text(json.dumps(answers))
            command = [str(python), str(HERE / "stub_provider.py"), str(SCHEMA), f"{meeting}/socket", str(told)]
            serving = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            try:
                assert serving.stdout
                where = serving.stdout.readline()
                if not where:
                    raise TerraformError("the stub provider did not start")
                quiet = {"TF_CLI_CONFIG_FILE": os.devnull, "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"}
                inherited = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
                yield inherited | quiet | {"TF_REATTACH_PROVIDERS": where}
            finally:
                serving.kill()
                serving.wait()
                if serving.stdout:
                    serving.stdout.close()
