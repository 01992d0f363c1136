"""The release: everything terraform reads, in one folder that stands for itself, and the zip that is kept of it.

The folder looks like the project, so that terraform finds what it finds there: infra/, the manifests, the rules and
indexes, the bundles. Going back to a release is applying its folder again.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from zipfile import ZipFile

from infra.bundles.archive import archive, sha256
from infra.deploy.target import Target

INFRA = "infra"
BUNDLES = "build/bundles"
PLAN = "plan.bin"
SETTINGS = "infra/release.auto.tfvars.json"
ENVIRONMENT = "infra/environment.auto.tfvars"

_READ_BY_TERRAFORM = ("*.tf", "*.tfvars", "*.json", "*.yaml", "*.tftpl", ".terraform.lock.hcl")
_RULES = ("firestore.rules", "firestore.indexes.json")


def stage(root: Path, bundles: Path, target: Target, billing_account: str, folder: Path) -> str:
    """Fill `folder` with the release and return its id, which is made from what it holds.

    What an earlier run left there is replaced, but for terraform's own folder of providers.
    """
    _clear(folder)
    for path in _sources(root):
        _copy(root / path, folder / path)
    for file in [*sorted(bundles.glob("*.zip")), bundles / "bundles.json"]:
        _copy(file, folder / BUNDLES / file.name)
    _copy(root / INFRA / "environments" / f"{target.environment}.tfvars", folder / ENVIRONMENT)
    (folder / SETTINGS).write_text(json.dumps(_settings(target, billing_account), indent=1, sort_keys=True) + "\n")
    return sha256(zipped(folder))[:16]


def zipped(folder: Path) -> bytes:
    """The release as one file, the same for the same content."""
    found = {PurePosixPath(path.relative_to(folder).as_posix()): path.read_bytes() for path in _kept(folder)}
    return archive(found)


def unzip(file: Path, folder: Path) -> None:
    """Fill `folder` with a kept release."""
    _clear(folder)
    with ZipFile(file) as kept:
        kept.extractall(folder)


def _settings(target: Target, billing_account: str) -> dict[str, object]:
    """Variables of infra/variables.tf."""
    return {
        "project_id": target.project,
        "region": target.region,
        "bundles": f"../{BUNDLES}",
        "alert_emails": sorted(target.alert_emails),
        "billing_account": billing_account,
        "public_base_url": f"https://{target.domain}" if target.domain else "",
    }


def _sources(root: Path) -> Iterator[Path]:
    for pattern in _READ_BY_TERRAFORM:
        for path in sorted((root / INFRA).rglob(pattern)):
            inside = path.relative_to(root)
            if ".terraform" not in inside.parts and "environments" not in inside.parts:
                yield inside
    for path in sorted((root / "functions").glob("*/function.yaml")):
        yield path.relative_to(root)
    yield from (Path(name) for name in _RULES)


def _kept(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and ".terraform" not in path.parts and path.name != PLAN:
            yield path


def _clear(folder: Path) -> None:
    for path in _kept(folder) if folder.exists() else ():
        path.unlink()
    (folder / INFRA / PLAN).unlink(missing_ok=True)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
