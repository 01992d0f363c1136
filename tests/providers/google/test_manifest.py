"""What the product asks of Google, and what it tells people when Google refuses."""

from __future__ import annotations

from collections import Counter

import pytest

from shared.providers.google.catalogue import CATALOGUE
from shared.providers.google.discovery.prune import CALLS, methods, original
from shared.providers.google.manifest import (
    CALENDAR_READ,
    GMAIL_READ,
    MANIFEST,
    SCOPES,
    canonical_scope,
    refused_features,
)
from shared.providers.words import Kind, Problem


@pytest.mark.parametrize("name", sorted(CALLS))
def test_every_call_is_allowed_by_a_scope_that_is_asked_for(name: str) -> None:
    for method in methods(original(name)):
        if method["id"] in CALLS[name]:
            assert set(method["scopes"]) & set(SCOPES), method["id"]


def test_only_reading_is_asked_for() -> None:
    assert set(SCOPES) == {"openid", "email", GMAIL_READ, CALENDAR_READ}
    assert all(scope.endswith(".readonly") for scope in SCOPES if "/auth/" in scope)


def test_unticked_boxes_switch_their_feature_off() -> None:
    granted = frozenset(canonical_scope(scope) for scope in SCOPES)
    assert refused_features(granted) == frozenset()
    assert refused_features(granted - {CALENDAR_READ}) == {"calendar"}
    assert refused_features(frozenset({"openid", "email"})) == {"mail", "calendar"}


def test_googles_longer_name_of_a_scope_is_the_same_scope() -> None:
    assert canonical_scope("https://www.googleapis.com/auth/userinfo.email") == "email"


def test_a_code_of_google_leads_to_one_entry() -> None:
    codes = Counter(code for problem in CATALOGUE for code in problem.codes)
    assert [code for code, count in codes.items() if count > 1] == []
    assert len({problem.id for problem in CATALOGUE}) == len(CATALOGUE)


@pytest.mark.parametrize("problem", MANIFEST.errors, ids=lambda problem: problem.id)
def test_an_entry_says_what_happened_and_what_to_do(problem: Problem) -> None:
    assert problem.sentence.endswith(".")
    if problem.kind in {Kind.RECONNECT, Kind.ADMIN, Kind.INPUT}:
        assert problem.action.endswith(".")
    if problem.kind in {Kind.RECONNECT, Kind.ADMIN}:
        assert problem.link is not None
        assert problem.link.startswith("https://")
