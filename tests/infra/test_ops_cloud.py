"""`make ops` on a project: whose names it knows, and what it asks gcloud for."""

from __future__ import annotations

import json
import re
import socket
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from infra.ops.app_secret import FileSecret, ManagedSecret, with_key, without_key
from infra.ops.place import of_project, settle_environment
from infra.ops.wrapping import KmsVersions
from shared.errors import InputError, ProviderUnavailableError
from shared.usecases.operations.rotate_connect_keys import fingerprint
from tests.infra.test_ops import Programs

ROOT = Path(__file__).parents[2]
KEY = "projects/p/locations/eu/keyRings/throughline/cryptoKeys/tenants"
FLAGS = "--key=tenants --keyring=throughline --location=eu --project=p"
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def versions(*created: str) -> str:
    rows = [
        {"name": f"{KEY}/cryptoKeyVersions/{number}", "state": "ENABLED", "createTime": f"{at}T09:00:00.1Z"}
        for number, at in enumerate(created, 1)
    ]
    disabled = {"name": f"{KEY}/cryptoKeyVersions/9", "state": "DISABLED", "createTime": "2025-01-01T00:00:00Z"}
    return json.dumps([*rows, disabled])


def kms(*created: str) -> tuple[KmsVersions, Programs]:
    programs = Programs(answers={"versions list": versions(*created)})
    return KmsVersions(KEY, programs, NOW), programs  # type: ignore[arg-type]  # Programs asks less


def test_a_projects_environment_is_what_infra_gives_to_the_functions() -> None:
    text = "".join(file.read_text() for file in (ROOT / "infra").glob("*.tf"))
    given = set(re.findall(r"^ {4}([A-Z_]+) += ", (ROOT / "infra/variables_of_functions.tf").read_text(), re.MULTILINE))
    ours = of_project("crm", "europe-west1")
    assert set(ours) <= given
    assert ours["OIDC_CALLER"].startswith("caller@")
    assert re.search(r'resource "google_service_account" "caller" {\n +account_id +="?.*"caller"', text)
    assert re.search(r'name += "\$\{var.project_id\}-\$\{each.key\}"', text)
    assert re.search(r'resource "google_kms_key_ring" "main" {\n +name +="?.*"throughline"', text)
    assert 'google_kms_crypto_key.used["tenants"]' in text


def test_a_project_needs_its_region_and_the_laptop_needs_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="region"):
        settle_environment({}, project="crm", region=None)
    environment: dict[str, str] = {}
    settle_environment(environment, project="crm", region="eu")
    assert environment["BLOBS_URL"] == "gs://crm-content"
    with socket.create_server(("127.0.0.1", 0)) as server:
        host = f"127.0.0.1:{server.getsockname()[1]}"
        environment = {"FIRESTORE_EMULATOR_HOST": host}
        settle_environment(environment, project=None, region=None, folder=tmp_path)
        assert environment["GOOGLE_CLOUD_PROJECT"] == "throughline-local"
        assert environment["FIRESTORE_EMULATOR_HOST"] == host
    with pytest.raises(ProviderUnavailableError, match="make run"):
        settle_environment({"FIRESTORE_EMULATOR_HOST": host}, project=None, region=None, folder=tmp_path)
    environment = {"GOOGLE_CLOUD_PROJECT": "elsewhere"}
    settle_environment(environment, project=None, region=None)
    assert environment == {"GOOGLE_CLOUD_PROJECT": "elsewhere"}


# --------------------------------------------------------------------------------------------------------------- KMS


def test_a_new_version_becomes_primary_once_a_day() -> None:
    key, programs = kms("2026-01-01")
    key.add()
    assert programs.asked[-1] == f"gcloud kms keys versions create --primary {FLAGS} --quiet"
    key, programs = kms("2026-01-01", "2026-03-02")
    key.add()
    assert not any("create" in line for line in programs.asked)


def test_older_versions_are_switched_off_a_day_later_and_never_destroyed() -> None:
    key, programs = kms("2026-01-01", "2025-06-01", "2026-02-28")
    assert key.count() == 3
    assert key.retire() == 2
    assert programs.asked[-2:] == [f"gcloud kms keys versions disable {number} {FLAGS} --quiet" for number in (1, 2)]
    key, programs = kms("2026-01-01", "2026-03-02")
    with pytest.raises(InputError, match="younger than a day"):
        key.retire()
    assert not any("disable" in line or "destroy" in line for line in programs.asked)


# ------------------------------------------------------------------------------------------------------ the app's keys


def test_a_new_key_of_notices_stands_before_the_old_one_until_that_retires() -> None:
    content: dict[str, Any] = {"client_id": "c", "verifier_tokens": ["old"]}
    both = with_key(with_key(content, "new"), "new")
    assert both == {"client_id": "c", "verifier_tokens": ["new", "old"]}
    assert without_key(both, fingerprint("old")) == {"client_id": "c", "verifier_tokens": ["new"]}
    with pytest.raises(InputError, match="only key"):
        without_key(content, fingerprint("old"))
    with pytest.raises(InputError, match="standard input"):
        with_key(content, "")


def test_a_secret_in_a_file_stays_its_owners(tmp_path: Path) -> None:
    path = tmp_path / "client.json"
    path.write_text('{"verifier_tokens": ["old"]}')
    secret = FileSecret(path)
    secret.write(with_key(secret.read(), "new"))
    assert secret.read()["verifier_tokens"] == ["new", "old"]
    assert path.stat().st_mode & 0o077 == 0
    assert [entry.name for entry in tmp_path.iterdir()] == ["client.json"]


def test_a_managed_secret_gets_a_new_version_by_a_file_that_goes_again() -> None:
    programs = Programs(answers={"versions access": '{"verifier_tokens": ["old"]}'})
    secret = ManagedSecret("quickbooks-oauth-client", "p", programs)  # type: ignore[arg-type]  # Programs asks less
    secret.write(with_key(secret.read(), "new"))
    access, added = programs.asked
    assert access == "gcloud secrets versions access latest --secret=quickbooks-oauth-client --project=p"
    assert added.startswith("gcloud secrets versions add quickbooks-oauth-client --data-file=")
    assert "new" not in added
    assert not Path(added.split("--data-file=")[1].split()[0]).exists()
