"""The laptop's key: one per file, and tokens that Google's own verifier takes."""

from __future__ import annotations

import stat
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from google.auth import exceptions
from google.auth.transport.requests import Request
from google.oauth2 import id_token

from local.cloud.serving import running
from local.identity.keys import SigningKey
from local.identity.server import create_app

CALLER = "functions@throughline-local.iam.gserviceaccount.com"
AUDIENCE = "http://127.0.0.1:8210/gmail_push"


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> SigningKey:
    return SigningKey.load_or_create(tmp_path_factory.mktemp("key") / "identity.pem")


@pytest.fixture(scope="module")
def identity(key: SigningKey, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running(create_app(key, tmp_path_factory.mktemp("data"), project="throughline-local")) as url:
        yield url


def verified(token: str, audience: str, certs_url: str) -> Mapping[str, Any]:
    claims: Mapping[str, Any] = id_token.verify_token(token, Request(), audience=audience, certs_url=certs_url)
    return claims


def test_key_is_kept_for_its_owner_alone_and_loaded_again(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "identity.pem"

    first = SigningKey.load_or_create(path)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert SigningKey.load_or_create(path).jwks() == first.jwks()
    assert SigningKey.load_or_create(path).certs() == first.certs()


def test_processes_that_start_together_agree_on_one_key(tmp_path: Path) -> None:
    path = tmp_path / "identity.pem"
    with ThreadPoolExecutor(4) as pool:
        keys = list(pool.map(lambda _: SigningKey.load_or_create(path), range(4)))

    assert len({key.key_id for key in keys}) == 1
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("certificates", ["/certs", "/x509"])
def test_service_token_passes_googles_verifier(key: SigningKey, identity: str, certificates: str) -> None:
    claims = verified(key.mint_service_token(AUDIENCE, CALLER), AUDIENCE, identity + certificates)

    assert claims["iss"] == "https://accounts.google.com"
    assert (claims["email"], claims["email_verified"]) == (CALLER, True)
    assert claims["azp"] == claims["sub"]
    assert claims["sub"].isdigit()
    assert claims["exp"] - claims["iat"] == 3600


def test_service_token_for_another_function_is_refused(key: SigningKey, identity: str) -> None:
    token = key.mint_service_token("http://127.0.0.1:8210/mailbox_sync", CALLER)

    with pytest.raises(exceptions.GoogleAuthError, match="audience"):
        verified(token, AUDIENCE, f"{identity}/x509")


def test_service_token_older_than_an_hour_is_refused(key: SigningKey, identity: str) -> None:
    token = key.mint_service_token(AUDIENCE, CALLER, now=datetime.now(UTC) - timedelta(hours=2))

    with pytest.raises(exceptions.GoogleAuthError, match="expired"):
        verified(token, AUDIENCE, f"{identity}/x509")


def test_token_of_another_key_is_refused(identity: str, tmp_path: Path) -> None:
    stranger = SigningKey.load_or_create(tmp_path / "stranger.pem")

    with pytest.raises(exceptions.GoogleAuthError):
        verified(stranger.mint_service_token(AUDIENCE, CALLER), AUDIENCE, f"{identity}/x509")


def test_user_token_has_the_shape_of_identity_platform(key: SigningKey, identity: str) -> None:
    token = key.mint_user_token("u-ada", "ada@acme.example", "t-acme", "admin", ["sales"], project="throughline-local")

    claims = verified(token, "throughline-local", f"{identity}/x509")

    assert claims["iss"] == "https://securetoken.google.com/throughline-local"
    assert (claims["sub"], claims["email"]) == ("u-ada", "ada@acme.example")
    assert (claims["tenant"], claims["role"], claims["teams"]) == ("t-acme", "admin", ["sales"])
    assert claims["auth_time"] == claims["iat"]


def test_file_that_holds_no_rsa_key_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "identity.pem"
    path.write_text("not a key")

    with pytest.raises(ValueError, match=r"PEM|key"):
        SigningKey.load_or_create(path)
