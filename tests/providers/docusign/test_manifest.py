"""What the product asks of DocuSign, and what it tells people when DocuSign refuses."""

from __future__ import annotations

from collections import Counter

import pytest

from shared.providers.docusign.catalogue import CATALOGUE, problem_of
from shared.providers.docusign.manifest import MANIFEST, SCOPES
from shared.providers.words import Kind, Problem


def test_only_sending_and_staying_connected_is_asked_for() -> None:
    assert SCOPES == ("signature", "extended")
    assert all(scope.reason.endswith(".") for scope in MANIFEST.scopes)


def test_a_code_of_docusign_leads_to_one_entry_in_any_case() -> None:
    codes = Counter(code.upper() for problem in CATALOGUE for code in problem.codes)
    assert [code for code, count in codes.items() if count > 1] == []
    assert len({problem.id for problem in CATALOGUE}) == len(CATALOGUE)
    found = problem_of("Hourly_Envelope_Polling_Limit_Exceeded")
    assert found is not None
    assert found.id == "polling_limit"


@pytest.mark.parametrize("problem", MANIFEST.errors, ids=lambda problem: problem.id)
def test_an_entry_says_what_happened_and_what_to_do(problem: Problem) -> None:
    assert problem.sentence.endswith(".")
    if problem.kind in {Kind.RECONNECT, Kind.ADMIN, Kind.INPUT}:
        assert problem.action.endswith(".")
    if problem.kind in {Kind.RECONNECT, Kind.ADMIN}:
        assert problem.link is not None
        assert problem.link.startswith("https://")
