"""Nobody gets in on trust: assertions, bearer tokens, OAuth 1.0a signatures."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from tests.local.netsuite.caller import Caller, certificate, code


def test_a_right_assertion_buys_a_token_for_an_hour(caller: Caller) -> None:
    body = json.loads(caller.token(caller.assertion()).body)
    assert (body["expires_in"], body["token_type"]) == ("3600", "Bearer")
    headers = {"Authorization": f"Bearer {body['access_token']}"}
    assert caller.raw("GET", "record/v1/customer", None, headers).status == 200

    caller.clock.advance(3600)
    late = caller.raw("GET", "record/v1/customer", None, headers)
    assert (late.status, code(late)) == (401, "INVALID_LOGIN")
    assert late.headers["www-authenticate"] == 'Bearer realm="9876543_SB1", error="invalid_token"'


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"iss": "somebody else"}, "invalid_client"),
        ({"aud": "https://1111111.suitetalk.api.netsuite.com/services/rest/auth/oauth2/v1/token"}, "invalid_request"),
        ({"scope": "restlets"}, "invalid_scope"),
        ({"exp": 0}, "invalid_request"),
        ({"exp": 4_000_000_000}, "invalid_request"),
        ({"key": ec.generate_private_key(ec.SECP256R1())}, "invalid_client"),
        ({"header": {"kid": "unknown"}}, "invalid_client"),
    ],
    ids=["issuer", "audience", "scope", "ended", "too long", "another key", "unknown certificate"],
)
def test_a_wrong_assertion_buys_nothing(caller: Caller, changes: dict[str, Any], error: str) -> None:
    answer = caller.token(caller.assertion(**changes))
    assert answer.status in {400, 401}
    assert json.loads(answer.body) == {"error": error}


def test_other_grants_are_refused(caller: Caller) -> None:
    refused = caller.token(caller.assertion(), grant_type="password")
    assert json.loads(refused.body) == {"error": "unsupported_grant_type"}
    assert json.loads(caller.token("x.y.z").body) == {"error": "invalid_request"}


def test_a_certificate_that_netsuite_would_not_take_cannot_be_mapped(caller: Caller) -> None:
    short = certificate(rsa.generate_private_key(65537, 2048))
    assert "3072 or 4096" in caller.control("certificates", client_id="client", certificate=short)["error"]
    assert "no certificate" in caller.control("certificates", client_id="client", certificate="hello")["error"]


def test_a_certificate_lasts_two_years_at_most(caller: Caller) -> None:
    long = certificate(ec.generate_private_key(ec.SECP256R1()), days=3650)
    assert caller.control("certificates", client_id="client", certificate=long)["ends_at"].startswith("2028-11-22")


# ----------------------------------------------------------------------------------------------------------- OAuth 1.0a


def signed(caller: Caller, issued: dict[str, str], **changes: str) -> str:
    """The header of GET record/v1/customer?limit=2&offset=0, signed step by step; less what is changed after."""
    oauth = {
        "oauth_consumer_key": issued["consumer_key"],
        "oauth_nonce": "nonce-1",
        "oauth_signature_method": "HMAC-SHA256",
        "oauth_timestamp": str(int(caller.clock.now().timestamp())),
        "oauth_token": issued["token_id"],
        "oauth_version": "1.0",
    }
    parameters = sorted({**oauth, "limit": "2", "offset": "0"}.items())
    joined = "&".join(f"{name}={quote(value, safe='')}" for name, value in parameters)
    address = f"{caller.url}/services/rest/record/v1/customer"
    base = f"GET&{quote(address, safe='')}&{quote(joined, safe='')}"
    secret = f"{issued['consumer_secret']}&{issued['token_secret']}"
    digest = hmac.new(secret.encode(), base.encode(), hashlib.sha256).digest()
    sent = {"realm": "9876543_SB1", **oauth, "oauth_signature": base64.b64encode(digest).decode(), **changes}
    return "OAuth " + ", ".join(f'{name}="{quote(value, safe="")}"' for name, value in sent.items())


def status(caller: Caller, authorization: str, query: str = "?limit=2&offset=0") -> int:
    return caller.raw("GET", f"record/v1/customer{query}", None, {"Authorization": authorization}).status


def test_a_signature_covers_the_query_and_is_good_once(caller: Caller) -> None:
    issued = caller.control("tokens")
    header = signed(caller, issued)
    assert status(caller, header, "?limit=1&offset=0") == 401
    assert status(caller, header) == 200
    assert status(caller, header) == 401


@pytest.mark.parametrize(
    "changes",
    [
        {"realm": "9876543"},
        {"realm": "9876543-sb1"},
        {"oauth_signature": "AAAA"},
        {"oauth_signature_method": "HMAC-SHA1"},
        {"oauth_token": "unknown"},
        {"oauth_consumer_key": "unknown"},
        {"oauth_nonce": "another"},
    ],
    ids=lambda changes: "=".join(*changes.items()),
)
def test_a_header_that_is_wrong_anywhere_is_refused(caller: Caller, changes: dict[str, str]) -> None:
    assert status(caller, signed(caller, caller.control("tokens"), **changes)) == 401


def test_old_signatures_and_revoked_tokens_are_refused(caller: Caller) -> None:
    issued = caller.control("tokens")
    header = signed(caller, issued)
    caller.clock.advance(301)
    assert status(caller, header) == 401

    caller.control("revoke", id=issued["token_id"])
    assert status(caller, signed(caller, issued)) == 401


@pytest.mark.parametrize("authorization", ["", "Basic YTpi", "Bearer guess", "OAuth nonsense"])
def test_anything_else_is_refused(caller: Caller, authorization: str) -> None:
    assert status(caller, authorization) == 401
