"""The pruned discovery documents."""

from __future__ import annotations

import json

import pytest

from shared.providers.google.discovery.prune import CALLS, FOLDER, methods, original, pruned, rendered


@pytest.mark.parametrize("name", sorted(CALLS))
def test_the_shipped_document_is_what_the_installed_library_prunes_to(name: str) -> None:
    assert (FOLDER / f"{name}.json").read_text("utf-8") == rendered(name)


@pytest.mark.parametrize("name", sorted(CALLS))
def test_it_has_the_calls_that_are_made_and_no_others(name: str) -> None:
    shipped = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    assert {method["id"] for method in methods(shipped)} == CALLS[name]
    assert "mtlsRootUrl" not in shipped


def test_prose_goes_and_a_field_called_description_stays() -> None:
    full = original("calendar.v3")
    slim = pruned(full, CALLS["calendar.v3"])
    assert "description" in full["schemas"]["Event"]["properties"]["attendees"]
    assert "description" not in slim["schemas"]["Event"]["properties"]["attendees"]
    assert slim["schemas"]["Event"]["properties"]["description"] == {"type": "string"}


def test_a_call_google_does_not_describe_is_refused() -> None:
    with pytest.raises(ValueError, match=r"gmail\.users\.messages\.recall"):
        pruned(original("gmail.v1"), frozenset({"gmail.users.messages.recall"}))
