"""What must be installed for the laptop cloud to run: Java, and Google's two emulators inside the Google Cloud CLI."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

USUAL_FOLDERS = (
    Path("/usr/lib/google-cloud-sdk"),
    Path.home() / "google-cloud-sdk",
    Path("/usr/local/google-cloud-sdk"),
    Path("/opt/google-cloud-sdk"),
    Path("/opt/homebrew/share/google-cloud-sdk"),
)
FIRESTORE_JAR = "platform/cloud-firestore-emulator/cloud-firestore-emulator.jar"
PUBSUB_JARS = "platform/pubsub-emulator/lib/cloud-pubsub-emulator-*-all.jar"

_INSTALL_JAVA = "sudo apt-get install -y default-jre-headless  (macOS: brew install openjdk)"
_INSTALL_GCLOUD = (
    "curl -sSL https://sdk.cloud.google.com | bash -s -- --disable-prompts && "
    "~/google-cloud-sdk/bin/gcloud components install -q cloud-firestore-emulator pubsub-emulator"
)


class MissingToolError(Exception):
    """Something must be installed first; the message is one sentence with the command that does it."""


@dataclass(frozen=True, slots=True)
class Tools:
    """Where the emulators are."""

    java: Path
    firestore_jar: Path
    pubsub_jar: Path


def find_tools(folders: Sequence[Path] = USUAL_FOLDERS) -> Tools:
    """Return what is installed.

    Args:
        folders: where the Google Cloud CLI usually lives; asked before the CLI itself, which takes a second to answer.
    Raises:
        MissingToolError: the first thing that is missing.
    """
    java = shutil.which("java")
    if java is None:
        raise MissingToolError(f"Java is missing, which Google's emulators run on: {_INSTALL_JAVA}")
    sdk = _find_sdk(folders)
    if sdk is None:
        raise MissingToolError(f"the Google Cloud CLI is missing, which brings the emulators: {_INSTALL_GCLOUD}")
    return Tools(
        java=Path(java),
        firestore_jar=_find_jar(sdk, FIRESTORE_JAR, "cloud-firestore-emulator", "firestore-emulator"),
        pubsub_jar=_find_jar(sdk, PUBSUB_JARS, "pubsub-emulator", "pubsub-emulator"),
    )


def _find_sdk(folders: Sequence[Path]) -> Path | None:
    for folder in folders:
        if (folder / "platform").is_dir():
            return folder
    gcloud = shutil.which("gcloud")
    if gcloud is None:
        return None
    asked = subprocess.run(
        [gcloud, "info", "--format=value(installation.sdk_root)"], capture_output=True, text=True, check=False
    )
    root = asked.stdout.strip()
    return Path(root) if asked.returncode == 0 and root else None


def _find_jar(sdk: Path, pattern: str, component: str, package: str) -> Path:
    found = sorted(sdk.glob(pattern))
    if not found:
        raise MissingToolError(
            f"the {component} is missing in {sdk}: gcloud components install {component}"
            f"  (if the CLI came from apt: sudo apt-get install -y google-cloud-cli-{package})"
        )
    return found[-1]


def main() -> int:
    """Say in one sentence what is missing; exit code 2 then."""
    try:
        find_tools()
    except MissingToolError as missing:
        print(missing, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
