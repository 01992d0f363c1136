"""Where the commands work: the laptop cloud, or a Google Cloud project. Both are what shared/wiring.py finds there."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping, MutableMapping
from pathlib import Path

from shared.errors import InputError, ProviderUnavailableError

LAPTOP_FOLDER = Path(".local")
CALLER, BUCKET, RING, KEY = "caller", "content", "throughline", "tenants"
"""How infra/ names the account that calls, the bucket of bodies, the key ring and the key."""

ANSWER_WITHIN_S = 2


def settle_environment(
    environment: MutableMapping[str, str], *, project: str | None, region: str | None, folder: Path = LAPTOP_FOLDER
) -> None:
    """Set what the wiring reads and is not set yet.

    project, region: of a Google Cloud project; neither means the laptop cloud, unless the environment says otherwise.
    Raises: InputError for a project without its region; ProviderUnavailableError where no laptop cloud runs.
    """
    if project and not region:
        raise InputError("Name the region as well: PROJECT=... REGION=...")
    if project and region:
        environment.update(of_project(project, region))
    elif "GOOGLE_CLOUD_PROJECT" not in environment:
        for name, value in of_laptop(folder).items():
            environment.setdefault(name, value)
        require_answer(environment["FIRESTORE_EMULATOR_HOST"])


def of_project(project: str, region: str) -> Mapping[str, str]:
    """As infra/variables_of_functions.tf gives it to the functions."""
    return {
        "GOOGLE_CLOUD_PROJECT": project,
        "FUNCTIONS_BASE_URL": f"https://{region}-{project}.cloudfunctions.net",
        "TASKS_LOCATION": region,
        "OIDC_CALLER": f"{CALLER}@{project}.iam.gserviceaccount.com",
        "BLOBS_URL": f"gs://{project}-{BUCKET}",
        "KMS_KEY": f"projects/{project}/locations/{region}/keyRings/{RING}/cryptoKeys/{KEY}",
    }


def of_laptop(folder: Path) -> Mapping[str, str]:
    """As `make run` gives it to the functions, on the ports it uses unless told otherwise."""
    from local.cloud.environment import environment
    from local.cloud.ports import Ports

    return environment(Ports(), folder)


def require_answer(host: str) -> None:
    """host: "name:port". A client of the store would try for a minute before it says the same in other words."""
    name, _, port = host.rpartition(":")
    try:
        socket.create_connection((name, int(port)), timeout=ANSWER_WITHIN_S).close()
    except OSError:
        raise ProviderUnavailableError(f"Nothing answers at {host}: start the laptop cloud with `make run`") from None


def on_laptop() -> bool:
    """Whether the documents lie in an emulator."""
    return "FIRESTORE_EMULATOR_HOST" in os.environ
