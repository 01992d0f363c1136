"""Terraform, run in a release's folder."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.deploy.commands import Commands, Done
from infra.deploy.complaints import explain
from infra.deploy.problems import DeployError, Problem
from infra.deploy.stage import INFRA, PLAN
from infra.deploy.target import Target

HOLDS_DATA = frozenset(
    {
        "google_firestore_database",
        "google_kms_crypto_key",
        "google_kms_key_ring",
        "google_secret_manager_secret",
        "google_storage_bucket",
    }
)
"""What cannot be made again once it is gone: a deploy never deletes it."""


@dataclass(frozen=True, slots=True)
class Plan:
    """counts: resources by what will happen to them. lost: addresses of what holds data and would be deleted."""

    counts: Counter[str]
    deleted: tuple[str, ...]
    lost: tuple[str, ...]

    @property
    def sentence(self) -> str:
        told = [f"{self.counts[kind]} to {kind}" for kind in ("create", "change", "replace", "delete")]
        return "Terraform plans: " + ", ".join(told) + "."


class Terraform:
    """commands: with GOOGLE_OAUTH_ACCESS_TOKEN, so that it is signed in as gcloud is."""

    def __init__(self, folder: Path, commands: Commands, target: Target) -> None:
        self._folder = folder
        self._infra = f"-chdir={folder / INFRA}"
        self._commands = commands
        self._target = target

    def init(self) -> None:
        """Raises: DeployError."""
        bucket = f"-backend-config=bucket={self._target.state_bucket}"
        self._tried(self._commands.show(["terraform", self._infra, "init", "-input=false", "-reconfigure", bucket]))

    def plan(self) -> Plan:
        """Written to the release's folder. Raises: DeployError."""
        self._tried(self._commands.show(["terraform", self._infra, "plan", "-input=false", f"-out={PLAN}"]))
        shown = self._commands.ask(["terraform", self._infra, "show", "-json", PLAN])
        self._tried(shown)
        return _read_plan(json.loads(shown.out))

    def apply(self) -> None:
        """Do what was planned. Raises: DeployError; what was done until then is done, and known to the state."""
        self._tried(self._commands.show(["terraform", self._infra, "apply", "-input=false", PLAN]))

    def outputs(self) -> dict[str, Any]:
        """By name. Raises: DeployError."""
        told = self._commands.ask(["terraform", self._infra, "output", "-json"])
        self._tried(told)
        return {name: one["value"] for name, one in json.loads(told.out).items()}

    def _tried(self, done: Done) -> None:
        if done.code:
            raise DeployError([explain(done.said, self._target)])


def refuse_losses(plan: Plan) -> None:
    """Raises: DeployError for a plan that deletes what holds data."""
    if plan.lost:
        raise DeployError(
            [
                Problem(
                    f"The plan deletes what holds data: {', '.join(plan.lost)}. Nothing was changed.",
                    "undo the change of infra/ that leads to it; to delete on purpose, use terraform by hand",
                )
            ]
        )


def _read_plan(told: dict[str, Any]) -> Plan:
    """Source: terraform's JSON output format, "Change representation": actions of resource_changes[].change."""
    counts: Counter[str] = Counter()
    deleted, lost = [], []
    for one in told.get("resource_changes", ()):
        actions = set(one["change"]["actions"])
        kind = _kind(actions)
        if kind:
            counts[kind] += 1
        if "delete" in actions:
            deleted.append(one["address"])
            if one["type"] in HOLDS_DATA:
                lost.append(one["address"])
    return Plan(counts, tuple(deleted), tuple(lost))


def _kind(actions: set[str]) -> str | None:
    if actions == {"create", "delete"}:
        return "replace"
    return next((kind for word, kind in _KINDS.items() if actions == {word}), None)


_KINDS = {"create": "create", "update": "change", "delete": "delete"}
