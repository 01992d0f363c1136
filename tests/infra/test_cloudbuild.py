"""Cloud Build's files: the steps and their order, images by digest, and nothing the API would refuse."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.deploy.__main__ import STEPS, parser
from local.google.discovery import load_document

ROOT = Path(__file__).parents[2]
FILES = ("cloudbuild.yaml", "cloudbuild.apply.yaml")
BUILT_IN = {"PROJECT_ID", "COMMIT_SHA", "LOCATION"}
BUILD = "cloudbuild.projects.builds.create"


def read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / name).read_text())
    return found


def script(name: str, step: str) -> str:
    [found] = [one for one in read(name)["steps"] if one["id"] == step]
    return "\n".join([str(found.get("entrypoint", "")), *found["args"]])


def violations(build: dict[str, Any]) -> list[str]:
    document = load_document("cloudbuild", "v1")
    return document.request_violations(document.methods[BUILD], build)


@pytest.mark.parametrize("name", FILES)
def test_the_api_takes_it(name: str) -> None:
    assert violations(read(name)) == []


def test_the_api_would_refuse_a_misspelt_one() -> None:
    build = read("cloudbuild.yaml")
    build["steps"][0]["wait_for"] = ["-"]

    assert violations(build)


def test_a_commit_is_checked_tested_audited_bundled_and_planned_before_anybody_is_asked() -> None:
    steps = [step["id"] for step in read("cloudbuild.yaml")["steps"]]

    assert steps == ["tools", "check", "test", "audit", "bundles", "plan", "approval"]
    assert not any("waitFor" in step for step in read("cloudbuild.yaml")["steps"])  # so that each waits for the last


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ("check", "make check"),
        ("test", ".ci/run"),
        ("audit", "pip-audit --strict --require-hashes --disable-pip -r requirements.txt"),
        ("bundles", "infra.bundles"),
        ("plan", "infra.deploy plan"),
        ("approval", "gcloud builds triggers run throughline-apply"),
    ],
)
def test_each_step_does_what_it_is_called(step: str, words: str) -> None:
    assert words in script("cloudbuild.yaml", step)


def test_nothing_is_applied_without_approval() -> None:
    assert not re.search(r"infra\.deploy (apply|deploy|rollback)", (ROOT / "cloudbuild.yaml").read_text())
    assert "infra.deploy apply --release=$_RELEASE" in script("cloudbuild.apply.yaml", "apply")
    assert "throughline-apply" in (ROOT / "docs" / "deploying.md").read_text()


def test_the_approved_build_is_of_the_same_commit_and_plan() -> None:
    asked = script("cloudbuild.yaml", "approval")

    assert "--sha=$COMMIT_SHA" in asked
    assert "_RELEASE=$$release" in asked


@pytest.mark.parametrize("name", FILES)
def test_every_image_is_pinned_by_digest_with_its_tag_beside_it(name: str) -> None:
    for line in (ROOT / name).read_text().splitlines():
        if re.match(r"\s+name:", line):
            assert re.fullmatch(r"    name: [a-z0-9./-]+@sha256:[0-9a-f]{64} # [\w.-]+", line)


@pytest.mark.parametrize("name", FILES)
def test_every_substitution_is_cloud_builds_own_has_a_default_or_must_be_given(name: str) -> None:
    text = (ROOT / name).read_text()
    used = set(re.findall(r"(?<!\$)\$([A-Z_]+)", text))

    required = used - BUILT_IN - set(read(name)["substitutions"])
    assert required == ({"_REGION"} if name == "cloudbuild.yaml" else {"_REGION", "_RELEASE"})


@pytest.mark.parametrize("name", FILES)
def test_every_script_is_good_bash(name: str) -> None:
    for step in read(name)["steps"]:
        if step["entrypoint"] == "bash":
            program = step["args"][-1].replace("$$", "$")
            done = subprocess.run(["bash", "-n", "-c", program], capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", FILES)
def test_the_deploy_program_takes_every_option_it_is_given(name: str) -> None:
    text = (ROOT / name).read_text().replace("\\\n", " ")
    calls = re.findall(r"infra\.deploy ([^\n]+)", text)

    assert len(calls) == 1
    options = parser().parse_args(calls[0].split())
    assert options.step in STEPS
    assert options.project == "$PROJECT_ID"
