"""`python -m infra.bundles.licences`: write LICENSES/third-party.md, every deployed package with its licence.

Read from the metadata of what is installed: the licence expression, else the classifiers, else what the field says.
"""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

from infra.bundles.bundle import Bundler
from infra.bundles.lock import read_lock

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "LICENSES" / "third-party.md"

SAME = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache 2": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD": "BSD-3-Clause",
    "BSD License": "BSD-3-Clause",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "PSFL": "PSF-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
"""Other spellings; "BSD License" without a number is the three-clause one for the packages we have."""

ALLOWED = frozenset(
    {
        "Apache-2.0",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "ISC",
        "LGPL-3.0-only",  # fpdf2, used as a library and not changed
        "MIT",
        "MIT-0",
        "MIT-CMU",
        "MPL-2.0",  # binds changes of its own files only
        "PSF-2.0",
    }
)
"""What may be in a bundle. A package under several needs one of them."""

HEAD = """# Packages of other people

What is deployed with the functions, each bundle with its own part of it. Written by `python -m infra.bundles.licences`.
DejaVu fonts, for the contracts we print: their licence lies beside them in shared/platform/paper/fonts.

| package | version | licence | in bundles |
| --- | --- | --- | --- |
"""


def licences(name: str) -> tuple[str, ...]:
    """SPDX names, one of which may be chosen; empty if the package says nothing."""
    told = metadata.metadata(name)
    expression = told.get_all("License-Expression")
    if expression:
        return tuple(expression[0].split(" OR "))
    classifiers = [line.split(" :: ")[-1] for line in told.get_all("Classifier") or () if line.startswith("License ::")]
    if classifiers:
        return tuple(SAME.get(one, one) for one in classifiers)
    text = "".join(told.get_all("License") or ()).strip()
    return tuple(SAME.get(one, one.replace(" ", "-")) for one in text.split(" OR ")) if text else ()


def listing() -> str:
    bundler = Bundler(ROOT)
    used = [package.name for name in bundler.functions for package in bundler.bundle(name).packages]
    rows = (
        f"| {name} | {package.version} | {' or '.join(licences(name))} | {_share(used.count(name), bundler)} |\n"
        for name, package in read_lock(ROOT / "requirements.txt").items()
    )
    return HEAD + "".join(rows)


def _share(count: int, bundler: Bundler) -> str:
    return {0: "none", len(bundler.functions): "all"}.get(count, "some")


if __name__ == "__main__":
    FILE.write_text(listing())
    print(f"written: {FILE}")
