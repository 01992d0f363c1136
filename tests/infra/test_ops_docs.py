"""docs/operations.md: a section for every alert, and no command that does not exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from infra.ops.__main__ import parser

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "operations.md").read_text()
SECTIONS = set(re.findall(r"^## (.+)$", PAGE, re.MULTILINE))
LINES = re.findall(r'make\s+ops\s+CMD="([^"]+)"', PAGE)
PARTS = ("**What it means.**", "**What to look at.**", "**What mends it.**")


def alerts() -> list[str]:
    """Titles of the alert policies in infra/: from the list of counted log lines, and of the policies by themselves."""
    found: list[str] = []
    for file in sorted((ROOT / "infra").glob("*.tf")):
        text = file.read_text()
        found += re.findall(r'\{ title = "([^"]+)", metrics', text)
        for policy in re.findall(r'resource "google_monitoring_alert_policy".*?^}', text, re.DOTALL | re.MULTILINE):
            found += [
                title.removesuffix(" of ${each.key}")
                for title in re.findall(r'^  display_name += "([^"]+)"', policy, re.M)
            ]
    return found


def section(title: str) -> str:
    return PAGE.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def test_there_are_alerts_to_look_for() -> None:
    expected = {"Quarantine", "Watch near its end", "Receipt imbalance", "Refresh failures", "Error rate", "Latency"}
    assert expected <= set(alerts())


@pytest.mark.parametrize("title", alerts())
def test_an_alert_has_its_section(title: str) -> None:
    assert title in SECTIONS
    assert all(part in section(title) for part in PARTS)


@pytest.mark.parametrize("line", sorted(set(LINES)))
def test_a_command_in_the_page_exists_and_takes_these_arguments(line: str) -> None:
    arguments = shlex.split(line)
    if "--help" in arguments:
        arguments.remove("--help")
        with pytest.raises(SystemExit):
            parser().parse_args([*arguments, "--help"])
        return
    assert parser().parse_args(arguments).command == arguments[0]


def test_every_command_is_in_the_page() -> None:
    choices = next(action.choices for action in parser()._actions if action.dest == "command")
    assert choices is not None
    assert {line.split()[0] for line in LINES} - {"--help"} == set(choices)
