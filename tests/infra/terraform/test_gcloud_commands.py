"""Every gcloud command that a page, a script or a program of ours shows or runs is one that gcloud knows.

gcloud checks itself, offline: the command, its flags, and the values it can check. What a program computes stands as x.
"""

from __future__ import annotations

import ast
import json
import re
import shlex
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.infra.terraform.tools import ROOT, gcloud

PAGES = ("*.md",)
SCRIPTS = ("*.sh", "*.yaml", "*.tf", "Makefile")
PROGRAMS = ("*.py",)
OURS = ("README.md", "Makefile", "cloudbuild.yaml", "docs", "infra", "functions", "local")

NOT_CHECKED = frozenset({"components", "info", "version", "help", "meta"})
"""About gcloud itself; its checker does not know them all."""

_BLOCK = re.compile(r"```\w*\n(.*?)```", re.S)
_SPAN = re.compile(r"`([^`\n]+)`")
_COMMAND = re.compile(r"(?:^|[$(;&|\s])(gcloud (?:\\\n|[^\n|;&)])+)", re.M)
_PLACE = re.compile(r"<[^>]+>|\$\{?\w+\}?|\$\([^)]*\)|\b[A-Z][A-Z_]{2,}\b")
COMPUTED = "x"


def in_page(text: str) -> Iterator[str]:
    """Commands of a page: in its blocks and between its backticks."""
    for block in _BLOCK.findall(text):
        yield from in_script(block)
    for span in _SPAN.findall(_BLOCK.sub("", text)):
        yield from in_script(span)


def in_script(text: str) -> Iterator[str]:
    """Commands of a script; places to fill in become x."""
    for found in _COMMAND.findall(text):
        words = _PLACE.sub(COMPUTED, found.replace("\\\n", " ")).split()
        if len(words) > 2 and words[1] not in NOT_CHECKED:
            yield " ".join(words)


def in_program(text: str) -> Iterator[str]:
    """Commands a program runs: ["gcloud", "projects", "describe", project, ...].

    Nothing is said of one whose very command is computed. What is computed after the first flag may be a flag itself
    and is left out.
    """
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.List | ast.Tuple) and node.elts and _word(node.elts[0]) == "gcloud":
            words = _words(node.elts)
            if len(words) > 2 and words[1] not in NOT_CHECKED:
                yield shlex.join(words)


def _words(elements: Sequence[ast.expr]) -> list[str]:
    """Empty if it cannot be told which command it is."""
    words: list[str] = []
    flags = False
    for element in elements:
        if isinstance(element, ast.Starred):
            if not flags and re.fullmatch("[a-z-]+", words[-1]) and words[-1] != COMPUTED:
                return []
            continue
        word = _word(element)
        flags = flags or word.startswith("-")
        if word != COMPUTED or not flags:
            words.append(word)
    return [] if COMPUTED in words[:3] else words


def _word(node: ast.expr) -> str:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(str(part.value) if isinstance(part, ast.Constant) else COMPUTED for part in parts)
    return COMPUTED


def _all() -> list[str]:
    readers = ((PAGES, in_page), (SCRIPTS, in_script), (PROGRAMS, in_program))
    return sorted(
        {
            command
            for patterns, read in readers
            for name in OURS
            for path in _files(ROOT / name, patterns)
            for command in read(path.read_text())
        }
    )


def _files(place: Path, patterns: Sequence[str]) -> list[Path]:
    if place.is_file():
        return [place] if any(place.match(pattern) for pattern in patterns) else []
    return sorted(path for pattern in patterns for path in place.rglob(pattern))


def refused(commands: Sequence[str], folder: Path) -> dict[str, str]:
    """What gcloud says of each that it would not run."""
    file = folder / "commands.json"
    file.write_text(json.dumps([{"command_string": command} for command in commands]))
    run = [gcloud(), "meta", "lint-gcloud-commands", f"--commands-file={file}"]
    done = subprocess.run(run, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout)
    assert len(answers) == len(commands)
    return {
        command: str(answer["error_message"])
        for command, answer in zip(commands, answers, strict=True)
        if not answer["success"]
    }


def test_every_gcloud_command_of_ours_is_one_it_knows(tmp_path: Path) -> None:
    commands = _all()
    assert commands
    assert refused(commands, tmp_path) == {}


def test_a_flag_that_does_not_exist_is_found(tmp_path: Path) -> None:
    wrong = "gcloud functions deploy x --runtim=python313"
    right = "gcloud pubsub topics describe gmail-push --project=x"
    assert refused([wrong, right], tmp_path).keys() == {wrong}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Run `gcloud tasks queues resume QUEUE --location=<region>`.", ["gcloud tasks queues resume x --location=x"]),
        ("```\ngcloud run services list \\\n  --region=$REGION\n```", ["gcloud run services list --region=x"]),
        ("The gcloud tool is needed.", []),
        ("`gcloud components install beta`", []),
    ],
)
def test_commands_are_found_in_pages(text: str, expected: list[str]) -> None:
    assert list(in_page(text)) == expected


def test_commands_are_found_in_programs() -> None:
    program = """
run(["gcloud", "projects", "describe", project, f"--format={shape}", *more])
run(["gcloud", "kms", "keys", *which])
run(["java", "-jar", jar])
"""
    assert list(in_program(program)) == ["gcloud projects describe x --format=x"]
