"""Checkov's rules for Google Cloud over the plan. What is not followed is explained beside the resource:

    #checkov:skip=CKV_GCP_83: why

Checkov brings a hundred packages, so it has an environment of its own (policy_scan_requirements.txt, hash-locked).
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from tests.infra.terraform.planning import Plan
from tests.infra.terraform.tools import HERE, ROOT, environment

Finding = tuple[str, str]
"""A rule, and the resource it speaks of: "google_pubsub_topic.of", wherever it is."""

LEAST_WORDS = 6
ACCESS = '"public_access_prevention"'

_RESOURCE = re.compile(r'^resource "(\w+)" "(\w+)" \{(.*?)^\}', re.S | re.M)
_SKIP = re.compile(r"#checkov:skip=(CKV\w+): (.+)")


def _explained() -> Iterator[tuple[Finding, str]]:
    for file in sorted((ROOT / "infra").rglob("*.tf")):
        for kind, name, body in _RESOURCE.findall(file.read_text()):
            for rule, reason in _SKIP.findall(body):
                yield (rule, f"{kind}.{name}"), reason


@dataclass(frozen=True)
class Scan:
    """findings: of the plan. opened: of the same plan with its buckets left open. passed: how often a rule held."""

    findings: frozenset[Finding]
    opened: frozenset[Finding]
    passed: int


@pytest.fixture(scope="module")
def scan(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> Scan:
    """Both plans at once: most of its time checkov reads its own rules."""
    folder = tmp_path_factory.mktemp("scan")
    closed = plan.file.read_text()
    (folder / "plan.json").write_text(closed)
    (folder / "opened.json").write_text(closed.replace(f'{ACCESS}:"enforced"', f'{ACCESS}:"inherited"'))
    python = environment(HERE / "policy_scan_requirements.txt") / "python"
    flags = ["--framework", "terraform_plan", "--skip-download", "--compact", "--quiet", "--output", "json"]
    command = [str(python), "-m", "checkov.main", "-f", "plan.json", "opened.json", *flags]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    report = json.loads(done.stdout)
    assert report["summary"]["parsing_errors"] == 0, done.stderr
    failed = report["results"]["failed_checks"]
    return Scan(_findings(failed, "plan.json"), _findings(failed, "opened.json"), report["summary"]["passed"])


def _findings(failed: Sequence[Mapping[str, Any]], file: str) -> frozenset[Finding]:
    found = [each for each in failed if each["file_path"].endswith(file)]
    return frozenset((each["check_id"], _without_key(each["resource"])) for each in found)


def _without_key(address: str) -> str:
    """module.function["x"].google_a.b["y"] -> google_a.b"""
    return ".".join(re.sub(r"\[[^]]*\]", "", address).split(".")[-2:])


def test_every_rule_is_followed_or_its_exception_explained(scan: Scan) -> None:
    assert scan.passed > 200
    assert scan.findings - {finding for finding, _ in _explained()} == set()


def test_no_explanation_outlives_its_exception(scan: Scan) -> None:
    assert {finding for finding, _ in _explained()} - scan.findings == set()


def test_a_bucket_left_open_is_found(scan: Scan) -> None:
    assert ("CKV_GCP_114", "google_storage_bucket.used") in scan.opened


def test_an_explanation_is_a_sentence() -> None:
    for finding, reason in _explained():
        assert len(reason.split()) >= LEAST_WORDS, finding
