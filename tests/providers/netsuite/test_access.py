"""Getting in: certificates, tokens, signatures, and what happens when NetSuite says no."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from shared.domain.cash.accounting import ChoiceKind
from shared.errors import (
    AdminActionError,
    ConnectionRevokedError,
    InputError,
    ProviderUnavailableError,
    RateLimitedError,
)
from shared.providers.netsuite.access import BearerAccess
from shared.providers.netsuite.account import Account
from shared.providers.netsuite.ledger import NetsuiteLedger
from shared.providers.netsuite.oauth1 import SignedAccess, TokenCredentials, base_string
from shared.providers.netsuite.oauth2 import ClientCredentials, signed_assertion
from tests.fakes import FakeChance, FakeClock
from tests.providers.netsuite.world import START, World, key_pair, pem


@pytest.mark.parametrize("text", ["9876543_SB1", "9876543-sb1", " 9876543_sb1 "])
def test_host_and_realm_come_from_one_account_id(text: str) -> None:
    account = Account(text)
    assert account.account_id == "9876543_SB1"
    assert account.host == "9876543-sb1.suitetalk.api.netsuite.com"
    assert account.rest_url == "https://9876543-sb1.suitetalk.api.netsuite.com/services/rest"
    assert account.token_audience == account.token_url
    assert not account.is_production
    assert Account("TSTDRV1234567").is_production


@pytest.mark.parametrize("text", ["", "evil.example/", "9876543_SB1_X", "98765 43", "9876543@evil.example"])
def test_what_is_no_account_id_never_becomes_a_host(text: str) -> None:
    with pytest.raises(InputError, match="Company Information"):
        Account(text)


# --------------------------------------------------------------------------------------------------------- certificates


@pytest.mark.parametrize(("kind", "algorithm"), [("rsa", "PS256"), ("ec", "ES256")])
def test_an_assertion_says_who_we_are_for_minutes(kind: Literal["ec", "rsa"], algorithm: str) -> None:
    private, _ = key_pair(kind)
    audience = Account("9876543_SB1").token_audience
    assertion = signed_assertion(ClientCredentials("client", "certificate-1", private), audience, START)

    assert jwt.get_unverified_header(assertion) == {"typ": "JWT", "alg": algorithm, "kid": "certificate-1"}
    public = load_pem_private_key(private, password=None).public_key()
    assert isinstance(public, rsa.RSAPublicKey | ec.EllipticCurvePublicKey)
    claims = jwt.decode(
        assertion, public, algorithms=[algorithm], audience=audience, options={"verify_exp": False, "verify_iat": False}
    )
    assert claims == {
        "iss": "client",
        "scope": "rest_webservices",
        "aud": audience,
        "iat": int(START.timestamp()),
        "exp": int(START.timestamp()) + 300,
    }


@pytest.mark.parametrize(
    ("key", "sentence"),
    [
        (b"not a key", "no private key"),
        (pem(rsa.generate_private_key(65537, 2048)), "3072 or 4096"),
        (pem(ec.generate_private_key(ec.SECP384R1())), "P-256"),
    ],
    ids=["no key", "short RSA key", "other curve"],
)
def test_a_key_that_netsuite_does_not_take_is_a_sentence(key: bytes, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        signed_assertion(ClientCredentials("client", "certificate-1", key), "audience", START)


@pytest.mark.parametrize("kind", ["rsa", "ec"])
def test_netsuite_accepts_our_signature(world: World, kind: Literal["ec", "rsa"]) -> None:
    token = world.grant(kind).mint()
    assert token.expires_at == START + timedelta(seconds=3600)
    [call] = world.reported
    assert (call.provider, call.purpose, call.result, call.status) == ("netsuite", "token.issued", "ok", 200)
    assert len(call.trace_id) == 32


def test_a_token_is_kept_until_five_minutes_before_its_end(world: World) -> None:
    ledger = world.ledger()

    def issued_after(seconds: float) -> int:
        world.clock.advance(seconds)
        ledger.choices(ChoiceKind.ITEM)
        return len(world.called("token.issued"))

    assert [issued_after(0), issued_after(3299), issued_after(1)] == [1, 1, 2]


def test_a_token_that_netsuite_forgot_is_replaced_once_and_the_call_repeated(world: World) -> None:
    ledger = world.ledger()
    ledger.choices(ChoiceKind.ITEM)
    world.control("expire")

    assert len(ledger.choices(ChoiceKind.ITEM)) == 3
    assert [call.result for call in world.called("item.listed")] == ["ok", "INVALID_LOGIN", "ok"]


def test_a_fresh_token_refused_is_trouble_at_netsuite_and_not_the_end(world: World) -> None:
    ledger = world.ledger()
    world.control("faults", operation="suiteql", status=401, code="INVALID_LOGIN", times=2)
    with pytest.raises(ProviderUnavailableError):
        ledger.choices(ChoiceKind.ITEM)


def test_a_revoked_certificate_needs_a_person(world: World) -> None:
    grant = world.grant()
    [certificate_id] = world.simulator.gate.certificates
    world.control("revoke", id=certificate_id)
    with pytest.raises(ConnectionRevokedError):
        grant.mint()


def test_a_certificate_ends(world: World) -> None:
    ledger = world.ledger()
    ledger.choices(ChoiceKind.ITEM)
    world.clock.advance(720 * 86_400)
    with pytest.raises(ConnectionRevokedError):
        ledger.choices(ChoiceKind.ITEM)


def test_another_accounts_assertion_is_refused(world: World) -> None:
    grant = world.grant()
    world.simulator.gate._audience = "https://1111111.suitetalk.api.netsuite.com/services/rest/auth/oauth2/v1/token"
    with pytest.raises(AdminActionError) as refusal:
        grant.mint()
    assert refusal.value.reason == "login_malformed"


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"status": 503, "text": "<html>maintenance</html>"}, ProviderUnavailableError),
        ({"status": 429}, RateLimitedError),
        ({"status": 400, "text": '{"error": "something_new"}'}, ProviderUnavailableError),
        ({"reply_lost": True}, ProviderUnavailableError),
        ({"status": 200, "text": "{}"}, ProviderUnavailableError),
    ],
    ids=["maintenance", "too many", "unknown word", "no answer", "garbled"],
)
def test_trouble_at_the_token_endpoint_never_reads_as_revoked(
    world: World, fault: dict[str, object], error: type[Exception]
) -> None:
    grant = world.grant()
    world.control("faults", operation="token", **fault)
    with pytest.raises(error):
        grant.mint()


# --------------------------------------------------------------------------------------------------------------- tokens


def test_the_base_string_is_that_of_the_standard() -> None:
    """RFC 5849, 3.4.1.1, less its form body, which we do not send."""
    oauth = {
        "oauth_consumer_key": "9djdj82h48djs9d2",
        "oauth_token": "kkk9d7dh3k39sjv7",
        "oauth_signature_method": "HMAC-SHA1",
        "oauth_timestamp": "137131201",
        "oauth_nonce": "7d8f3e4a",
    }
    assert base_string("post", "http://example.com/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b", oauth.items()) == (
        "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3Da%26b5%3D%253D%25253D%26c%2540%3D%26"
        "oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a%26oauth_signature_method%3DHMAC-SHA1%26"
        "oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7"
    )


def test_the_realm_is_sent_and_not_signed() -> None:
    credentials = TokenCredentials("ck", "cs", "tk", "ts")

    def header(account: str) -> str:
        access = SignedAccess(Account(account), credentials, clock=FakeClock(START), chance=FakeChance())
        return access.header("GET", "https://example.com/x?limit=1")

    one, other = header("1111111_SB1"), header("2222222")
    assert one.startswith('OAuth realm="1111111_SB1", ')
    assert one.replace("1111111_SB1", "2222222") == other


def test_secrets_are_not_in_the_header_nor_in_the_repr() -> None:
    credentials = TokenCredentials("ck", "consumer-secret", "tk", "token-secret")
    access = SignedAccess(Account("1111111"), credentials, clock=FakeClock(START), chance=FakeChance())
    assert "secret" not in access.header("GET", "https://example.com/")
    assert "-secret" not in repr(credentials)
    assert "BEGIN" not in repr(ClientCredentials("client", "certificate", key_pair("ec")[0]))


@pytest.fixture
def signed(world: World) -> NetsuiteLedger:
    return world.ledger(world.client(world.token_access()))


def test_tokens_do_all_that_certificates_do(world: World, signed: NetsuiteLedger) -> None:
    made = signed.create_invoice(world.draft(), "key")
    assert signed.find_invoice("TL-1001", "intent-1001") == made
    assert world.called("token.issued") == []


def test_a_revoked_token_needs_a_person_at_once(world: World, signed: NetsuiteLedger) -> None:
    [token_id] = world.simulator.gate.tokens
    world.control("revoke", id=token_id)
    with pytest.raises(ConnectionRevokedError):
        signed.choices(ChoiceKind.ITEM)
    assert len(world.called("item.listed")) == 1


def test_a_clock_that_is_off_is_refused(world: World) -> None:
    late = FakeClock(START + timedelta(minutes=6))
    access = world.token_access()
    access._clock = late
    with pytest.raises(ConnectionRevokedError):
        world.ledger(world.client(access)).choices(ChoiceKind.ITEM)


def test_a_cache_of_the_house_may_stand_where_the_grant_does(world: World) -> None:
    token = world.grant().mint()
    access = BearerAccess(lambda: token, clock=world.clock)
    assert len(world.ledger(world.client(access)).choices(ChoiceKind.ITEM)) == 3
    assert len(world.called("token.issued")) == 1
