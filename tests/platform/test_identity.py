"""Who may call, and who is signed in: real tokens, real signatures, and every way they can be wrong."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from local.identity.keys import SigningKey
from shared.errors import ForbiddenError, ProofError, ProviderUnavailableError
from shared.platform.identity import ServiceCaller, ServiceTokens, SignedIn, UserTokens
from shared.platform.key_set import ASK_AGAIN_AFTER, KEEP_FOR, KeySet, fetched
from tests.fakes import START, FakeClock

AUDIENCE = "https://crm.example/mailbox_sync"
CALLER = "functions@crm.iam.example"
PROJECT = "crm"
MINUTE = timedelta(minutes=1)


@pytest.fixture(scope="module")
def key_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keys") / "key.pem"


@pytest.fixture(scope="module")
def signing_key(key_path: Path) -> SigningKey:
    return SigningKey.load_or_create(key_path)


@pytest.fixture(scope="module")
def forger() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class Publisher:
    """The place where keys are published, with a count of how often it was asked."""

    def __init__(self, content: object) -> None:
        self.content = content
        self.asked = 0
        self.down = False

    def __call__(self, url: str) -> bytes:
        self.asked += 1
        if self.down:
            raise ProviderUnavailableError("down")
        return json.dumps(self.content).encode()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def publisher(signing_key: SigningKey) -> Publisher:
    return Publisher(signing_key.jwks())


@pytest.fixture
def services(publisher: Publisher, clock: FakeClock) -> ServiceTokens:
    return ServiceTokens(KeySet("https://keys.example", clock, publisher), frozenset({CALLER}), clock)


@pytest.fixture
def users(publisher: Publisher, clock: FakeClock) -> UserTokens:
    return UserTokens(KeySet("https://keys.example", clock, publisher), PROJECT, clock)


@pytest.fixture
def user_token(signing_key: SigningKey) -> str:
    return signing_key.mint_user_token("u1", "ada@acme.example", "t1", "admin", ["east"], project=PROJECT, now=START)


Forge = Callable[..., str]


@pytest.fixture
def forge(signing_key: SigningKey, forger: rsa.RSAPrivateKey) -> Forge:
    """A token that is good but for what is changed. Claims given as None are left out."""

    def forged(good: str, *, alg: str = "RS256", headers: dict[str, Any] | None = None, **changes: object) -> str:
        claims: dict[str, Any] = jwt.decode(good, options={"verify_signature": False}) | changes
        claims = {name: value for name, value in claims.items() if value is not None}
        key: Any = forger if alg == "RS256" else ("" if alg == "none" else "shared secret of thirty-two bytes")
        return jwt.encode(claims, key, algorithm=alg, headers={"kid": signing_key.key_id} | (headers or {}))

    return forged


@pytest.fixture(scope="module")
def resign(signing_key: SigningKey, key_path: Path) -> Forge:
    """Changed claims or headers under the true signature. Claims given as None are left out."""

    def resigned(good: str, *, headers: dict[str, Any] | None = None, **changes: object) -> str:
        claims: dict[str, Any] = jwt.decode(good, options={"verify_signature": False}) | changes
        claims = {name: value for name, value in claims.items() if value is not None}
        kept = {"kid": signing_key.key_id} | (headers or {})
        return jwt.encode(claims, key_path.read_bytes(), algorithm="RS256", headers=kept)

    return resigned


# ----------------------------------------------------------------------------------------------------------- services


def test_a_service_we_know_may_call_the_function_its_token_names(
    services: ServiceTokens, signing_key: SigningKey
) -> None:
    token = signing_key.mint_service_token(AUDIENCE, CALLER, now=START)
    assert services.verify(token, AUDIENCE) == ServiceCaller(CALLER)


@pytest.mark.parametrize("token", [None, "", "x", "a.b.c", "..", "é.é.é", "x" * 10_000, "a.b.c.d"])
def test_without_a_token_nobody_may_call(services: ServiceTokens, token: str | None) -> None:
    with pytest.raises(ProofError):
        services.verify(token, AUDIENCE)


def test_a_token_for_another_function_is_refused(services: ServiceTokens, signing_key: SigningKey) -> None:
    token = signing_key.mint_service_token(AUDIENCE, CALLER, now=START)
    for audience in ("https://crm.example/other", ""):
        with pytest.raises(ProofError):
            services.verify(token, audience)


def test_a_token_of_a_service_we_do_not_know_is_refused(services: ServiceTokens, signing_key: SigningKey) -> None:
    with pytest.raises(ProofError):
        services.verify(signing_key.mint_service_token(AUDIENCE, "other@crm.iam.example", now=START), AUDIENCE)


def test_a_token_ends_an_hour_after_it_began(
    services: ServiceTokens, signing_key: SigningKey, clock: FakeClock
) -> None:
    token = signing_key.mint_service_token(AUDIENCE, CALLER, now=START)
    clock.set(START + timedelta(minutes=59))
    assert services.verify(token, AUDIENCE)
    for wrong_time in (START + timedelta(minutes=61), START - MINUTE):
        clock.set(wrong_time)
        with pytest.raises(ProofError):
            services.verify(token, AUDIENCE)


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://evil.example"},
        {"iss": None},
        {"aud": [AUDIENCE]},
        {"email": None},
        {"email": [CALLER]},
        {"email_verified": False},
        {"email_verified": "true"},
        {"email_verified": None},
        {"exp": None},
        {"exp": "9999999999"},
        {"exp": True},
        {"iat": None},
        {"headers": {"crit": ["exp"]}},
    ],
)
def test_a_signed_token_with_a_wrong_claim_is_refused(
    services: ServiceTokens, signing_key: SigningKey, resign: Forge, changes: dict[str, Any]
) -> None:
    good = signing_key.mint_service_token(AUDIENCE, CALLER, now=START)
    assert services.verify(resign(good), AUDIENCE)
    with pytest.raises(ProofError):
        services.verify(resign(good, **changes), AUDIENCE)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"alg": "none"},
        {"alg": "HS256"},
        {"headers": {"kid": "unknown"}},
    ],
)
def test_a_token_signed_by_anybody_else_is_refused(
    services: ServiceTokens, signing_key: SigningKey, forge: Forge, changes: dict[str, Any]
) -> None:
    good = signing_key.mint_service_token(AUDIENCE, CALLER, now=START)
    with pytest.raises(ProofError):
        services.verify(forge(good, **changes), AUDIENCE)


def test_a_signature_does_not_cover_other_claims(services: ServiceTokens, signing_key: SigningKey) -> None:
    header, _, signature = signing_key.mint_service_token(AUDIENCE, CALLER, now=START).split(".")
    other = signing_key.mint_service_token(AUDIENCE, CALLER, now=START + MINUTE).split(".")[1]
    not_an_object = base64.urlsafe_b64encode(b"[]").decode().rstrip("=")
    for payload in (other, not_an_object, ""):
        with pytest.raises(ProofError):
            services.verify(f"{header}.{payload}.{signature}", AUDIENCE)


def test_a_persons_token_is_no_services(services: ServiceTokens, user_token: str) -> None:
    with pytest.raises(ProofError):
        services.verify(user_token, PROJECT)


# ------------------------------------------------------------------------------------------------------------- people


def test_a_person_signed_in_is_known_with_organization_role_and_teams(users: UserTokens, user_token: str) -> None:
    assert users.verify(user_token) == SignedIn("u1", "t1", "ada@acme.example", "admin", ("east",))


def test_a_services_token_is_no_persons(users: UserTokens, signing_key: SigningKey) -> None:
    with pytest.raises(ProofError):
        users.verify(signing_key.mint_service_token(PROJECT, CALLER, now=START))


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://securetoken.google.com/other"},
        {"aud": "other"},
        {"sub": ""},
        {"sub": "u" * 129},
        {"sub": None},
        {"auth_time": None},
        {"auth_time": 99_999_999_999},
    ],
)
def test_a_token_of_another_project_or_of_nobody_is_refused(
    users: UserTokens, user_token: str, resign: Forge, changes: dict[str, object]
) -> None:
    with pytest.raises(ProofError):
        users.verify(resign(user_token, **changes))


@pytest.mark.parametrize(
    "changes", [{"tenant": None}, {"tenant": ""}, {"tenant": 7}, {"role": None}, {"teams": "east"}, {"teams": [1]}]
)
def test_a_person_without_an_organization_may_do_nothing(
    users: UserTokens, user_token: str, resign: Forge, changes: dict[str, object]
) -> None:
    with pytest.raises(ForbiddenError):
        users.verify(resign(user_token, **changes))


def test_a_person_may_be_in_no_team(users: UserTokens, user_token: str, resign: Forge) -> None:
    assert users.verify(resign(user_token, teams=None)).teams == ()


# --------------------------------------------------------------------------------------------------------------- keys


def test_keys_published_as_certificates_serve_as_well(
    signing_key: SigningKey, publisher: Publisher, services: ServiceTokens
) -> None:
    publisher.content = signing_key.certs()
    token = signing_key.mint_service_token(AUDIENCE, CALLER, now=START)
    assert services.verify(token, AUDIENCE) == ServiceCaller(CALLER)


def test_keys_are_fetched_once_and_kept_for_an_hour(
    publisher: Publisher, clock: FakeClock, signing_key: SigningKey
) -> None:
    keys = KeySet("https://keys.example", clock, publisher)
    for _ in range(5):
        assert keys.key(signing_key.key_id)
    assert publisher.asked == 1
    clock.advance(KEEP_FOR.total_seconds())
    assert keys.key(signing_key.key_id)
    assert publisher.asked == 2


def test_an_unknown_key_is_asked_for_at_most_once_a_minute(
    publisher: Publisher, clock: FakeClock, signing_key: SigningKey
) -> None:
    published = publisher.content
    publisher.content = {"keys": []}
    keys = KeySet("https://keys.example", clock, publisher)
    for number in range(5):
        assert keys.key(f"made-up-{number}") is None
    assert publisher.asked == 1
    publisher.content = published
    clock.advance(ASK_AGAIN_AFTER.total_seconds())
    assert keys.key(signing_key.key_id)
    assert publisher.asked == 2


def test_a_key_no_longer_published_is_forgotten_within_the_hour(
    publisher: Publisher, clock: FakeClock, signing_key: SigningKey
) -> None:
    keys = KeySet("https://keys.example", clock, publisher)
    assert keys.key(signing_key.key_id)
    publisher.content = {"keys": []}
    clock.advance(KEEP_FOR.total_seconds())
    assert keys.key(signing_key.key_id) is None


def test_known_keys_serve_through_an_outage_of_their_publisher(
    publisher: Publisher, clock: FakeClock, signing_key: SigningKey
) -> None:
    keys = KeySet("https://keys.example", clock, publisher)
    keys.key(signing_key.key_id)
    publisher.down = True
    clock.advance(KEEP_FOR.total_seconds())
    assert keys.key(signing_key.key_id)
    clock.advance(ASK_AGAIN_AFTER.total_seconds())
    with pytest.raises(ProviderUnavailableError):
        keys.key("new-key")
    assert keys.key("new-key") is None  # asked again in a minute, not at once
    assert keys.key(signing_key.key_id)


def test_an_instance_that_starts_during_an_outage_asks_until_it_has_keys(
    publisher: Publisher, clock: FakeClock, signing_key: SigningKey
) -> None:
    keys = KeySet("https://keys.example", clock, publisher)
    publisher.down = True
    with pytest.raises(ProviderUnavailableError):
        keys.key(signing_key.key_id)
    publisher.down = False
    assert keys.key(signing_key.key_id)


@pytest.mark.parametrize("content", [[], "text", {"keys": [{"kty": "RSA"}]}, {"a": "no certificate"}, {"a": 7}])
def test_a_publisher_that_talks_nonsense_counts_as_down(clock: FakeClock, content: object) -> None:
    with pytest.raises(ProviderUnavailableError):
        KeySet("https://keys.example", clock, Publisher(content)).key("a")


class _Keys(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/certs" else 503)
        self.end_headers()
        self.wfile.write(b'{"keys": []}')

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def keys_url() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), _Keys)
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_keys_are_fetched_over_http(keys_url: str) -> None:
    assert fetched(f"{keys_url}/certs") == b'{"keys": []}'
    with pytest.raises(ProviderUnavailableError):
        fetched(f"{keys_url}/other")
    with pytest.raises(ProviderUnavailableError):
        fetched("http://127.0.0.1:1/certs")
