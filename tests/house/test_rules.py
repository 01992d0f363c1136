"""firestore.rules on the emulator: clients read content-free `live` documents of their own tenant, and no more."""

from __future__ import annotations

import base64
import json
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.emulators import firestore_emulator

ROOT = Path(__file__).parents[2]
COLLECTIONS = (
    "users", "contacts", "companies", "messages", "threads", "events", "mailboxes", "connections", "addresses",
    "domains", "quarantine", "outbox", "audit", "settings", "keys", "oauth_states", "deliveries",
)  # fmt: skip

pytestmark = pytest.mark.emulator


class Database:
    """One project's Firestore, over REST, as clients reach it."""

    def __init__(self, host: str) -> None:
        self._project = f"rules-{uuid.uuid4().hex[:12]}"
        self._host = host
        rules = {"rules": {"files": [{"name": "firestore.rules", "content": (ROOT / "firestore.rules").read_text()}]}}
        answer = self._send("PUT", f"/emulator/v1/projects/{self._project}:securityRules", rules, "owner")
        assert answer == 200

    def write(self, path: str, token: str | None) -> int:
        return self._send("PATCH", self._path(path), {"fields": {"v": {"integerValue": "1"}}}, token)

    def read(self, path: str, token: str | None) -> int:
        return self._send("GET", self._path(path), None, token)

    def token(self, tenant: str | None) -> str:
        """An ID token as the emulator takes it: unsigned."""
        now = int(time.time())
        claims = {
            "sub": "u1", "user_id": "u1", "aud": self._project, "iat": now, "exp": now + 600, "auth_time": now,
            "iss": f"https://securetoken.google.com/{self._project}",
        }  # fmt: skip
        if tenant is not None:
            claims["tenant"] = tenant
        parts = (_base64({"alg": "none", "typ": "JWT"}), _base64(claims), "")
        return ".".join(parts)

    def _path(self, path: str) -> str:
        return f"/v1/projects/{self._project}/databases/(default)/documents/{path}"

    def _send(self, method: str, path: str, body: object, token: str | None) -> int:
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(f"http://{self._host}{path}", data, method=method)
        request.add_header("Content-Type", "application/json")
        if token is not None:
            request.add_header("Authorization", f"Bearer {token}")
        try:
            with urllib.request.urlopen(request) as answer:  # noqa: S310 - loopback
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code


def _base64(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    with firestore_emulator() as host:
        yield Database(host)


def test_a_member_reads_live_documents_of_the_own_tenant(database: Database) -> None:
    assert database.write("tenants/acme/live/timeline", "owner") == 200
    assert database.read("tenants/acme/live/timeline", database.token("acme")) == 200


@pytest.mark.parametrize("tenant", ["other", None])
def test_nobody_else_reads_them(database: Database, tenant: str | None) -> None:
    database.write("tenants/acme/live/timeline", "owner")
    assert database.read("tenants/acme/live/timeline", database.token(tenant)) == 403
    assert database.read("tenants/acme/live/timeline", None) == 403


def test_nobody_writes_them(database: Database) -> None:
    assert database.write("tenants/acme/live/timeline", database.token("acme")) == 403


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_everything_else_is_denied_to_everyone(database: Database, collection: str) -> None:
    path = f"tenants/acme/{collection}/one"
    assert database.write(path, "owner") == 200
    for token in (database.token("acme"), database.token("other"), database.token(None), None):
        assert database.read(path, token) == 403
        assert database.write(path, token) == 403


def test_routes_are_nobodys(database: Database) -> None:
    assert database.write("routes/gmail:abc", "owner") == 200
    assert database.read("routes/gmail:abc", database.token("acme")) == 403
