"""Providers are found by their folders: one page asks for any of them and knows none by name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from shared.domain.people import Role
from shared.errors import InputError
from shared.providers.connecting import Client, connecting
from shared.providers.docusign.jwt_grant import JwtGrant
from shared.providers.wire import Wire
from tests.fakes import FakeChance, FakeClock

PROVIDERS = Path(__file__).parents[2] / "shared" / "providers"
FOLDERS = sorted(path.parent.name for path in PROVIDERS.glob("*/connecting.py"))

CLIENT = Client(
    client_id="our-client",
    client_secret="hush",
    redirect_uri="https://crm.example/oauth_callback",
    root_url=None,
    sandbox=False,
    clock=FakeClock(),
    chance=FakeChance(),
    wire=Wire(),
    on_call=lambda _: None,
)


def test_every_vendor_with_a_consent_page_is_found() -> None:
    assert {"docusign", "google", "quickbooks"} <= set(FOLDERS)


@pytest.mark.parametrize("provider", FOLDERS)
def test_each_sends_the_person_to_its_own_page_with_our_state(provider: str) -> None:
    authorization = connecting(provider).authorization(CLIENT)
    address = urlsplit(authorization.url(state="acme.s-1", verifier="v" * 43, login_hint=None))
    query = parse_qs(address.query)
    assert address.scheme == "https"
    assert (query["state"], query["client_id"]) == (["acme.s-1"], ["our-client"])
    assert query["redirect_uri"] == ["https://crm.example/oauth_callback"]


@pytest.mark.parametrize("provider", FOLDERS)
def test_a_refusal_and_a_torn_link_are_sentences(provider: str) -> None:
    for arguments in ({"error": "access_denied", "state": "s"}, {"state": "s"}, {"code": "c"}, {}):
        with pytest.raises(InputError, match=r"start connecting again\.$"):
            connecting(provider).state_of(arguments)


def test_ledgers_are_for_admins_and_finance_and_signing_for_admins() -> None:
    allowed = {provider: connecting(provider).MAY_CONNECT for provider in ("docusign", "quickbooks", "google")}
    assert allowed == {"docusign": {Role.ADMIN}, "quickbooks": {Role.ADMIN, Role.FINANCE}, "google": None}


@pytest.mark.parametrize("provider", ["", "nowhere", "../google", "Google", "wire", "call_record", "google/oauth"])
def test_what_is_no_folder_is_refused(provider: str) -> None:
    with pytest.raises(InputError, match="no such provider"):
        connecting(provider)


def test_docusign_tells_its_sandbox_from_the_live_environment() -> None:
    live, sandbox = (
        connecting("docusign")
        .authorization(replace(CLIENT, sandbox=trial))
        .url(state="s", verifier="v" * 43, login_hint=None)
        for trial in (False, True)
    )
    assert urlsplit(live).hostname == "account.docusign.com"
    assert urlsplit(sandbox).hostname == "account-d.docusign.com"


def test_docusign_acts_by_key_where_the_organization_gave_one() -> None:
    authorization = connecting("docusign").authorization(replace(CLIENT, private_key=b"a key"))
    assert isinstance(authorization, JwtGrant)
    asked = parse_qs(urlsplit(authorization.url(state="s", verifier="v" * 43, login_hint=None)).query)
    assert asked["scope"] == ["signature impersonation"]
