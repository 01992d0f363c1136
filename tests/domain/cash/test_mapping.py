"""Customers are suggested by how alike the names are, and never chosen where two are alike."""

from __future__ import annotations

import pytest

from shared.domain.cash.mapping import Candidate, CustomerMatch, MatchState, RowState, comparable, row_of


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Globex Inc.", "globex"),
        ("GLOBEX, Corporation", "globex"),
        ("Müller & Söhne GmbH", "müller söhne"),
        ("Co", "co"),
        ("  ", ""),
    ],
)
def test_legal_forms_and_punctuation_do_not_make_names_differ(name: str, expected: str) -> None:
    assert comparable(name) == expected


def test_one_likely_name_is_suggested() -> None:
    row = row_of("k", "Globex", [Candidate("1", "Globex Corp", 100), Candidate("2", "Initech", 20)], None)
    assert row.state is RowState.SUGGESTED
    assert row.candidates[0].id == "1"


def test_two_names_close_to_each_other_are_ambiguous() -> None:
    row = row_of("k", "Globex", [Candidate("1", "Globex East", 88), Candidate("2", "Globex West", 86)], None)
    assert row.state is RowState.AMBIGUOUS


def test_a_distant_name_is_no_match() -> None:
    assert row_of("k", "Globex", [Candidate("2", "Initech", 60)], None).state is RowState.NO_MATCH


def test_what_was_decided_is_remembered_and_a_rejection_maps_to_nobody() -> None:
    rejected = CustomerMatch("k", MatchState.REJECTED, None)
    row = row_of("k", "Globex", [Candidate("1", "Globex", 100)], rejected)
    assert row.state is RowState.DECIDED
    assert rejected.mapped is None
