"""A running simulator, and the ways to talk to it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httplib2
import pytest
from google.oauth2.credentials import Credentials
from googleapiclient import discovery_cache
from googleapiclient.discovery import build_from_document

from local.cloud.serving import running
from local.google.app import create_app
from local.google.oauth.signing import GoogleSigningKey
from local.google.service import Settings
from local.google.simulator import Simulator
from local.identity.keys import SigningKey

CLIENT = {
    "client_id": "throughline.apps.example",
    "client_secret": "a local secret",
    "redirect_uris": ["http://127.0.0.1:8080/oauth_callback"],
}
READ_MAIL = "https://www.googleapis.com/auth/gmail.readonly"
PEOPLE = ("ada@acme.example", "ben@acme.example")


@dataclass
class Google:
    """A simulator behind HTTP. `published` holds what Gmail put on its topics: (topic, notification)."""

    simulator: Simulator
    root: str
    published: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def control(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """POST to the control API; a refusal raises AssertionError with its sentence."""
        answer, content = httplib2.Http().request(f"{self.root}control/{path}", "POST", json.dumps(body or {}))
        assert answer.status == 200, content.decode()
        return json.loads(content)

    def read(self, path: str) -> Any:
        answer, content = httplib2.Http().request(self.root + path)
        assert answer.status == 200, content.decode()
        return json.loads(content)

    def token(self, email: str, scopes: Sequence[str] = (READ_MAIL,)) -> str:
        answer = self.control("tokens", {"client_id": CLIENT["client_id"], "email": email, "scopes": list(scopes)})
        return str(answer["access_token"])

    def build(self, name: str, version: str, email: str, scopes: Sequence[str] = (READ_MAIL,)) -> Any:
        """Return a real google-api-python-client service, signed in as `email`."""
        documents = Path(discovery_cache.__file__).parent / "documents"
        document = json.loads((documents / f"{name}.{version}.json").read_text())
        document["rootUrl"] = self.root
        document["baseUrl"] = self.root + document["servicePath"]
        document.pop("mtlsRootUrl", None)
        signed_in = Credentials(self.token(email, scopes))  # type: ignore[no-untyped-call]  # google-auth has no types
        return build_from_document(document, credentials=signed_in)


@pytest.fixture(scope="session")
def signing_key(tmp_path_factory: pytest.TempPathFactory) -> SigningKey:
    """One key for all simulators of a run: making and loading one takes longer than most tests."""
    return GoogleSigningKey.load_or_create(tmp_path_factory.mktemp("google") / "signing-key.pem")


@pytest.fixture(scope="session")
def running_google(tmp_path_factory: pytest.TempPathFactory, signing_key: SigningKey) -> Iterator[Google]:
    published: list[tuple[str, dict[str, Any]]] = []
    simulator = Simulator(
        Settings(tmp_path_factory.mktemp("google")),
        publish=lambda topic, content: published.append((topic, json.loads(content))),
        key=signing_key,
    )
    with running(create_app(simulator)) as root:
        yield Google(simulator, f"{root}/", published)


@pytest.fixture
def google(running_google: Google) -> Iterator[Google]:
    """A simulator with one OAuth client and two people of acme.example; all its answers must have been legal."""
    simulator = running_google.simulator
    simulator.reset()
    running_google.published.clear()
    simulator.grants.register(CLIENT)
    for email in PEOPLE:
        simulator.create_account({"email": email, "name": email.split("@")[0].title()})
    yield running_google
    assert simulator.gateway.violations == []
