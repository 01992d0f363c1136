"""What is missing is named together with the command that installs it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from local.cloud.requirements_check import FIRESTORE_JAR, MissingToolError, find_tools


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder programs are looked for in."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


@pytest.fixture
def sdk(tmp_path: Path) -> Path:
    for name in (FIRESTORE_JAR, "platform/pubsub-emulator/lib/cloud-pubsub-emulator-0.8.20-all.jar"):
        file = tmp_path / "sdk" / name
        file.parent.mkdir(parents=True)
        file.touch()
    return tmp_path / "sdk"


def program(folder: Path, name: str, script: str = "") -> None:
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def test_tools_are_found_in_the_usual_folder(path: Path, sdk: Path) -> None:
    program(path, "java")

    tools = find_tools([sdk.parent / "elsewhere", sdk])

    assert tools.java == path / "java"
    assert tools.firestore_jar == sdk / FIRESTORE_JAR
    assert tools.pubsub_jar.name == "cloud-pubsub-emulator-0.8.20-all.jar"


def test_command_line_tool_is_asked_when_the_folder_is_unusual(path: Path, sdk: Path) -> None:
    program(path, "java")
    program(path, "gcloud", f"echo {sdk}")

    assert find_tools([]).firestore_jar == sdk / FIRESTORE_JAR


def test_missing_java(path: Path, sdk: Path) -> None:
    with pytest.raises(MissingToolError, match=r"Java is missing.*apt-get install -y default-jre-headless"):
        find_tools([sdk])


def test_missing_cloud_tools(path: Path) -> None:
    program(path, "java")

    with pytest.raises(MissingToolError, match=r"Google Cloud CLI is missing.*curl .*sdk\.cloud\.google\.com"):
        find_tools([])


@pytest.mark.parametrize("component", ["cloud-firestore-emulator", "pubsub-emulator"])
def test_missing_emulator(path: Path, sdk: Path, component: str) -> None:
    program(path, "java")
    for jar in (sdk / "platform" / component).rglob("*.jar"):
        jar.unlink()

    with pytest.raises(MissingToolError, match=f"gcloud components install {component}"):
        find_tools([sdk])


def _without_outer_make() -> dict[str, str]:
    """`make test` hands its own flags and depth to the makes below it."""
    return {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}


@pytest.mark.parametrize("target", ["run", "test"])
def test_make_says_in_one_sentence_what_to_install_and_ends_with_2(path: Path, tmp_path: Path, target: str) -> None:
    make = shutil.which("make", path=os.defpath)
    assert make is not None
    ended = subprocess.run(
        [make, "--old-file=.venv/ready", target],
        cwd=Path(__file__).parents[3],
        env={**_without_outer_make(), "DATA": str(tmp_path / "data"), "PORTS": "free"},
        capture_output=True,
        text=True,
        check=False,
    )
    sentence, *rest = [line for line in ended.stderr.splitlines() if line.strip()]
    assert sentence.startswith("Java is missing")
    assert "sudo apt-get install -y default-jre-headless" in sentence
    assert all(line.startswith("make:") for line in rest), "and no traceback"
    assert ended.returncode == 2


def test_without_the_cloud_tools_the_sentence_brings_the_emulators_too(path: Path) -> None:
    program(path, "java")

    with pytest.raises(MissingToolError, match="gcloud components install -q cloud-firestore-emulator pubsub-emulator"):
        find_tools([])
