"""The locks: every package by its hash, for every Python we serve, from nobody's index in particular, both alike."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.markers import Marker

from infra.bundles.bundle import Bundler
from infra.bundles.lock import LockError, lock_text, read_lock
from infra.bundles.packages import PYTHONS

ROOT = Path(__file__).parents[2]
LOCKS = ("requirements.txt", "requirements-dev.txt")
BUNDLER = Bundler(ROOT)


@pytest.mark.parametrize("name", LOCKS)
def test_every_package_is_pinned_by_its_hashes(name: str) -> None:
    packages = read_lock(ROOT / name)

    assert len(packages) > 50
    assert all(package.hashes for package in packages.values())


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_names_no_index_and_no_place(name: str) -> None:
    text = (ROOT / name).read_text()

    assert not re.search(r"^\s*(--?(i|index-url|extra-index-url|find-links|f|trusted-host)\b)", text, re.MULTILINE)
    assert "://" not in text
    assert " @ " not in text


def test_what_is_tested_is_what_is_deployed() -> None:
    deployed, tested = (read_lock(ROOT / name) for name in LOCKS)

    differing = {
        name: (package.version, tested[name].version if name in tested else None)
        for name, package in deployed.items()
        if name not in tested or tested[name].version != package.version
    }
    assert differing == {}


@pytest.mark.parametrize("name", BUNDLER.functions)
def test_a_bundles_lock_is_a_part_of_the_whole_one(name: str) -> None:
    whole = read_lock(ROOT / "requirements.txt")

    packages = BUNDLER.bundle(name).packages

    assert packages
    assert all(whole[package.name] == package for package in packages)
    assert {"functions-framework", "flask", "gunicorn"} <= {package.name for package in packages}


def test_the_lock_is_read_as_it_is_written(tmp_path: Path) -> None:
    packages = read_lock(ROOT / "requirements.txt")

    (tmp_path / "again.txt").write_text(lock_text(list(packages.values())))

    assert read_lock(tmp_path / "again.txt") == packages


@pytest.mark.parametrize("line", ["flask>=3", "flask==3.1.3", "-e .", "flask==3.1.3 --hash=md5:00"])
def test_a_line_that_does_not_pin_is_refused(line: str, tmp_path: Path) -> None:
    (tmp_path / "lock.txt").write_text(line + "\n")

    with pytest.raises(LockError, match="make lock"):
        read_lock(tmp_path / "lock.txt")


@pytest.mark.parametrize("python", PYTHONS)
def test_every_marker_can_be_decided_for_every_python_we_serve(python: str) -> None:
    for package in read_lock(ROOT / "requirements.txt").values():
        if package.marker is not None:
            assert Marker(package.marker).evaluate({"python_version": python, "python_full_version": f"{python}.0"})


@pytest.mark.parametrize("python", PYTHONS)
def test_uv_finds_a_whole_environment_in_the_lock(python: str, tmp_path: Path) -> None:
    """Resolves for Linux and that Python, from what is known here; nothing is installed."""
    uv = Path(sys.executable).with_name("uv")
    target = ["--python-version", python, "--python-platform", "x86_64-manylinux_2_28"]
    what = ["--require-hashes", "--dry-run", "--only-binary", ":all:", "-r", str(ROOT / "requirements.txt")]
    into = ["--target", str(tmp_path)]

    done = subprocess.run(
        [str(uv), "pip", "install", *target, *into, *what], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr[-1000:]
    assert f"Would install {len(read_lock(ROOT / 'requirements.txt'))} packages" in done.stderr
