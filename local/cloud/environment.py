"""What the functions find in their environment on the laptop, and the secret files it points at."""

from __future__ import annotations

import json
import os
import secrets
import uuid
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from local.cloud.ports import HOST, PROJECT, Ports
from local.identity.keys import SigningKey
from shared.platform.wrapping_keys import FileWrappingKey

CALLER = f"functions@{PROJECT}.iam.gserviceaccount.com"
TASKS_LOCATION = "local-1"
OAUTH_CALLBACK = "oauth_callback"
NETSUITE_CALLS_AT_ONCE = "4"
"""One less than the simulated account allows: others use a NetSuite account, too."""

_CLIENT_ID = f"000000000000-laptop.apps.{PROJECT}.example"


def environment(ports: Ports, data_dir: Path) -> dict[str, str]:
    """Return the variables every function gets; `prepare` makes the files they name."""
    data = data_dir.resolve()
    identity = f"http://{HOST}:{ports.identity}"
    return {
        "GOOGLE_CLOUD_PROJECT": PROJECT,
        "FIRESTORE_EMULATOR_HOST": f"{HOST}:{ports.firestore}",
        "PUBSUB_EMULATOR_HOST": f"{HOST}:{ports.pubsub}",
        "CLOUD_TASKS_EMULATOR_HOST": f"{HOST}:{ports.tasks}",
        "TASKS_LOCATION": TASKS_LOCATION,
        "FUNCTIONS_BASE_URL": f"http://{HOST}:{ports.functions}",
        "OIDC_CERTS_URL": f"{identity}/x509",
        "OIDC_CALLER": CALLER,
        "IDENTITY_CERTS_URL": f"{identity}/x509",
        "IDENTITY_PROJECT": PROJECT,
        "IDENTITY_SIGNIN_URL": f"{identity}/signin",
        "GOOGLE_API_ROOT": f"http://{HOST}:{ports.google}",
        "GOOGLE_OAUTH_CLIENT": str(oauth_client_file(data)),
        "DOCUSIGN_API_ROOT": f"http://{HOST}:{ports.docusign}",
        "DOCUSIGN_OAUTH_CLIENT": str(docusign_client_file(data)),
        "QUICKBOOKS_API_ROOT": f"http://{HOST}:{ports.quickbooks}",
        "QUICKBOOKS_OAUTH_CLIENT": str(quickbooks_client_file(data)),
        "NETSUITE_API_ROOT": f"http://{HOST}:{ports.netsuite}",
        "NETSUITE_CALLS_AT_ONCE": NETSUITE_CALLS_AT_ONCE,
        "BLOBS_URL": (data / "blobs").as_uri(),
        "LOCAL_WRAPPING_KEY_FILE": str(wrapping_key_file(data)),
    }


def signing_key_file(data: Path) -> Path:
    """PEM file of the key that signs service and user tokens."""
    return data / "identity.pem"


def wrapping_key_file(data: Path) -> Path:
    """32 random bytes: what Cloud KMS does in production."""
    return data / "wrapping.key"


def oauth_client_file(data: Path) -> Path:
    """The OAuth client as Google's console downloads it: {"web": {...}}."""
    return data / "google_oauth_client.json"


def docusign_client_file(data: Path) -> Path:
    """The integration key, its secret, and the RSA key it acts with for who agreed once."""
    return data / "docusign_oauth_client.json"


def quickbooks_client_file(data: Path) -> Path:
    """The app's client id and secret, and the verifier token of its webhook."""
    return data / "quickbooks_oauth_client.json"


def registrations_file(data: Path) -> Path:
    """The same at the other side: what the simulated DocuSign and QuickBooks know of our app."""
    return data / "vendor_registrations.json"


def registered_clients_file(data: Path) -> Path:
    """The same client as the simulated Google registers it."""
    return data / "google_clients.json"


def prepare(ports: Ports, data: Path) -> None:
    """Make the folder and the files that `environment` names; secrets that are there stay as they are."""
    (data / "blobs").mkdir(parents=True, exist_ok=True)
    (data / "logs").mkdir(exist_ok=True)
    SigningKey.load_or_create(signing_key_file(data))
    FileWrappingKey.load_or_create(wrapping_key_file(data))
    _write_oauth_client(ports, data)
    _write_vendor_clients(ports, data)


def _write_vendor_clients(ports: Ports, data: Path) -> None:
    functions = f"http://{HOST}:{ports.functions}"
    redirect_uris = [f"{functions}/{OAUTH_CALLBACK}"]
    docusign, quickbooks = _docusign_client(data), _quickbooks_client(data)
    _write_secret(docusign_client_file(data), json.dumps(docusign, indent=1))
    _write_secret(quickbooks_client_file(data), json.dumps(quickbooks, indent=1))
    integration = {**_client_of(docusign, redirect_uris), "public_key": _public_pem(docusign["private_key"])}
    webhook = {"url": f"{functions}/quickbooks_webhook", "verifier_token": quickbooks["verifier_tokens"][0]}
    registered = {
        "docusign": {"clients": [integration]},
        "quickbooks": {"clients": [_client_of(quickbooks, redirect_uris)], "webhook": webhook},
    }
    _write_secret(registrations_file(data), json.dumps(registered, indent=1))


def _client_of(content: dict[str, Any], redirect_uris: list[str]) -> dict[str, Any]:
    names = ("client_id", "client_secret")
    return {**{name: content[name] for name in names}, "redirect_uris": redirect_uris, "name": "Throughline"}


def _docusign_client(data: Path) -> dict[str, Any]:
    if (path := docusign_client_file(data)).exists():
        return dict(json.loads(path.read_text()))
    return {
        "client_id": str(uuid.uuid4()),
        "client_secret": str(uuid.uuid4()),
        "sandbox": True,
        "private_key": _new_private_pem(),
    }


def _quickbooks_client(data: Path) -> dict[str, Any]:
    if (path := quickbooks_client_file(data)).exists():
        return dict(json.loads(path.read_text()))
    return {
        "client_id": f"AB{secrets.token_hex(20)}",
        "client_secret": secrets.token_urlsafe(30),
        "sandbox": True,
        "verifier_tokens": [str(uuid.uuid4())],
    }


def _new_private_pem() -> str:
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _public_pem(private_pem: str) -> str:
    key = load_pem_private_key(private_pem.encode(), password=None)
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def _write_oauth_client(ports: Ports, data: Path) -> None:
    google, functions = f"http://{HOST}:{ports.google}", f"http://{HOST}:{ports.functions}"
    client: dict[str, Any] = {
        "client_id": _CLIENT_ID,
        "client_secret": _client_secret(oauth_client_file(data)),
        "redirect_uris": [f"{functions}/{OAUTH_CALLBACK}"],
    }
    endpoints = {"auth_uri": f"{google}/o/oauth2/v2/auth", "token_uri": f"{google}/token"}
    downloaded = {"web": {**client, **endpoints, "project_id": PROJECT}}
    _write_secret(oauth_client_file(data), json.dumps(downloaded, indent=1))
    registered = [{**client, "project": PROJECT, "name": "Throughline"}]
    _write_secret(registered_clients_file(data), json.dumps(registered, indent=1))


def _client_secret(path: Path) -> str:
    if path.exists():
        return str(json.loads(path.read_text())["web"]["client_secret"])
    return secrets.token_urlsafe(24)


def _write_secret(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
