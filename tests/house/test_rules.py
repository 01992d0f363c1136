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

from shared.usecases.operations.catalogue import CATALOGUE
from tests.emulators import firestore_emulator

ROOT = Path(__file__).parents[2]
BELOW = {
    "backfill": "mailboxes/m", "budget": "mailboxes/m", "chain": "opportunities/d", "copies": "mailboxes/m",
    "customers": "ledgers/n", "secret": "connections/n", "seen": "mailboxes/m", "slots": "connections/n",
    "streams": "mailboxes/m", "timeline": "contacts/c", "wanted": "mailboxes/m",
}  # fmt: skip
"""Collections that lie below a document of another one."""

OUTSIDE = ("routes", "system")
"""Those of no tenant."""

ROLES = ("sales_rep", "manager", "executive", "admin", "finance")


def path_in(collection: str) -> str:
    """A document of the collection, of the tenant acme."""
    if collection in OUTSIDE:
        return f"{collection}/one"
    below = f"{BELOW[collection]}/" if collection in BELOW else ""
    return f"tenants/acme/{below}{collection}/one"


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

    def list_all(self, collection: str, token: str | None) -> int:
        return self._send("GET", self._path(collection), None, token)

    def query_group(self, collection: str, token: str | None) -> int:
        """All collections of this name, of every tenant."""
        query = {"structuredQuery": {"from": [{"collectionId": collection, "allDescendants": True}]}}
        return self._send("POST", self._path("").rstrip("/") + ":runQuery", query, token)

    def delete(self, path: str, token: str | None) -> int:
        return self._send("DELETE", self._path(path), None, token)

    def tokens(self) -> list[str | None]:
        """Everybody there may be: each role of the tenant and of another one, who is of none, who is not signed in."""
        members = [self.token(tenant, role) for tenant in ("acme", "other") for role in ROLES]
        return [*members, self.token(None), None]

    def token(self, tenant: str | None, role: str = "sales_rep") -> str:
        """An ID token as the emulator takes it: unsigned."""
        now = int(time.time())
        claims = {
            "sub": "u1", "user_id": "u1", "aud": self._project, "iat": now, "exp": now + 600, "auth_time": now,
            "iss": f"https://securetoken.google.com/{self._project}",
        }  # fmt: skip
        if tenant is not None:
            claims |= {"tenant": tenant, "role": role}
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


@pytest.mark.parametrize("role", ROLES)
def test_a_member_reads_live_documents_of_the_own_tenant(database: Database, role: str) -> None:
    assert database.write("tenants/acme/live/timeline", "owner") == 200
    assert database.read("tenants/acme/live/timeline", database.token("acme", role)) == 200
    assert database.list_all("tenants/acme/live", database.token("acme", role)) == 200


@pytest.mark.parametrize("tenant", ["other", "", "acme/live", None])
def test_nobody_else_reads_them(database: Database, tenant: str | None) -> None:
    database.write("tenants/acme/live/timeline", "owner")
    for token in (database.token(tenant, "admin"), None):
        assert database.read("tenants/acme/live/timeline", token) == 403
        assert database.list_all("tenants/acme/live", token) == 403


def test_each_tenant_s_are_its_own(database: Database) -> None:
    for tenant in ("acme", "other"):
        assert database.write(f"tenants/{tenant}/live/timeline", "owner") == 200
    for tenant, foreign in (("acme", "other"), ("other", "acme")):
        token = database.token(tenant, "admin")
        assert database.read(f"tenants/{tenant}/live/timeline", token) == 200
        assert database.read(f"tenants/{foreign}/live/timeline", token) == 403
    assert database.query_group("live", database.token("acme", "admin")) == 403


def test_nobody_writes_them(database: Database) -> None:
    database.write("tenants/acme/live/timeline", "owner")
    for token in database.tokens():
        assert database.write("tenants/acme/live/timeline", token) == 403
        assert database.write("tenants/acme/live/new", token) == 403
        assert database.delete("tenants/acme/live/timeline", token) == 403


def test_what_lies_below_a_live_document_is_nobodys(database: Database) -> None:
    assert database.write("tenants/acme/live/timeline/entries/one", "owner") == 200
    assert database.read("tenants/acme/live/timeline/entries/one", database.token("acme", "admin")) == 403


@pytest.mark.parametrize("collection", sorted(CATALOGUE))
def test_everything_else_is_denied_to_everyone(database: Database, collection: str) -> None:
    path = path_in(collection)
    assert database.write(path, "owner") == 200
    for token in database.tokens():
        assert database.read(path, token) == 403
        assert database.list_all(path.removesuffix("/one"), token) == 403
        assert database.query_group(collection, token) == 403
        assert database.write(path, token) == 403
        assert database.delete(path, token) == 403


def test_a_tenant_itself_is_nobodys(database: Database) -> None:
    assert database.write("tenants/acme", "owner") == 200
    for token in database.tokens():
        assert database.read("tenants/acme", token) == 403
        assert database.list_all("tenants", token) == 403
        assert database.write("tenants/acme", token) == 403
