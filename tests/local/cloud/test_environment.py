"""Our clients at the vendors: what the functions read, and what the simulated vendors know, are the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from local.cloud.environment import environment, prepare, registrations_file
from local.cloud.ports import Ports

PORTS = Ports()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    prepare(PORTS, tmp_path)
    return tmp_path


def client(data: Path, vendor: str) -> dict[str, Any]:
    return dict(json.loads(Path(environment(PORTS, data)[f"{vendor}_OAUTH_CLIENT"]).read_text()))


def registered(data: Path) -> dict[str, Any]:
    return dict(json.loads(registrations_file(data).read_text()))


@pytest.mark.parametrize("vendor", ["docusign", "quickbooks"])
def test_the_vendor_knows_our_client_and_where_it_may_come_back_to(data: Path, vendor: str) -> None:
    ours = client(data, vendor.upper())
    (theirs,) = registered(data)[vendor]["clients"]

    assert (theirs["client_id"], theirs["client_secret"]) == (ours["client_id"], ours["client_secret"])
    assert theirs["redirect_uris"] == [f"http://127.0.0.1:{PORTS.functions}/oauth_callback"]
    assert ours["sandbox"] is True


def test_docusign_has_the_public_half_of_our_key(data: Path) -> None:
    key = load_pem_private_key(client(data, "DOCUSIGN")["private_key"].encode(), password=None)
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    assert registered(data)["docusign"]["clients"][0]["public_key"] == public


def test_quickbooks_signs_its_notices_with_the_token_we_verify(data: Path) -> None:
    webhook = registered(data)["quickbooks"]["webhook"]

    assert client(data, "QUICKBOOKS")["verifier_tokens"] == [webhook["verifier_token"]]
    assert webhook["url"] == f"http://127.0.0.1:{PORTS.functions}/quickbooks_webhook"


def test_another_start_keeps_the_secrets(data: Path) -> None:
    before = [client(data, vendor) for vendor in ("GOOGLE", "DOCUSIGN", "QUICKBOOKS")]
    prepare(PORTS, data)

    assert [client(data, vendor) for vendor in ("GOOGLE", "DOCUSIGN", "QUICKBOOKS")] == before


def test_secrets_are_for_their_owner_alone(data: Path) -> None:
    files = [Path(environment(PORTS, data)[f"{vendor}_OAUTH_CLIENT"]) for vendor in ("DOCUSIGN", "QUICKBOOKS")]

    assert {path.stat().st_mode & 0o077 for path in [*files, registrations_file(data)]} == {0}
