"""The handbook and the code say the same: every error code has its line, every vendor its permissions and addresses."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from shared.providers.docusign.catalogue import CATALOGUE as DOCUSIGN
from shared.providers.google.catalogue import CATALOGUE as GOOGLE
from shared.providers.netsuite.catalogue import CATALOGUE as NETSUITE
from shared.providers.netsuite.manifest import MANIFEST
from shared.providers.quickbooks.catalogue import CATALOGUE as QUICKBOOKS

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs"
OTHER_WORDS = {"push_ours", "push_path"}
"""Named on the pages and no function, though they begin as one does."""

CATALOGUES = {"google": GOOGLE, "docusign": DOCUSIGN, "quickbooks": QUICKBOOKS, "netsuite": NETSUITE}


@pytest.mark.parametrize("vendor", CATALOGUES)
def test_every_error_code_has_a_line_in_the_troubleshooting(vendor: str) -> None:
    text = (DOCS / "troubleshooting.md").read_text()

    assert [problem.id for problem in CATALOGUES[vendor] if f"`{problem.id}`" not in text] == []


def test_no_code_in_the_troubleshooting_is_made_up() -> None:
    """In a symptom's cell, a word with an underscore in backticks is a code."""
    known = {problem.id for catalogue in CATALOGUES.values() for problem in catalogue}
    symptoms = [line.split("|")[1] for line in (DOCS / "troubleshooting.md").read_text().splitlines() if "|" in line]
    named = {word for cell in symptoms for word in re.findall(r"`([a-z]+(?:_[a-z]+)+)`", cell)}

    assert named - known == set()


def test_netsuites_role_has_the_permissions_the_set_up_page_asks_for() -> None:
    text = (DOCS / "vendors/netsuite.md").read_text()
    rows = re.findall(r"^\| ([A-Z][^|]+) \| (View|Create|Edit|Full) \|", text, re.MULTILINE)

    assert rows == [(permission.name, permission.level) for permission in MANIFEST.permissions]


@pytest.mark.parametrize("page", ["troubleshooting", "vendors/docusign", "vendors/quickbooks", "vendors/netsuite"])
def test_functions_that_are_named_exist(page: str) -> None:
    functions = {path.name for path in (ROOT / "functions").iterdir()}
    nouns = {function.partition("_")[0] for function in functions}
    codes = {problem.id for catalogue in CATALOGUES.values() for problem in catalogue}
    words = set(re.findall(r"`([a-z]+_[a-z_]+)", (DOCS / f"{page}.md").read_text())) - codes - OTHER_WORDS

    assert {word for word in words if word.partition("_")[0] in nouns} - functions == set()
