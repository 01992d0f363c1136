"""Bundles: what a function gets, what it does not, and that building them again makes the same bytes."""

from __future__ import annotations

import ast
import json
import os
import shutil
from io import BytesIO
from pathlib import Path, PurePosixPath
from zipfile import ZipFile

import pytest

from infra.bundles.archive import archive, sha256
from infra.bundles.bundle import Bundle, Bundler
from infra.bundles.lock import LockError, lock_text, read_lock
from infra.bundles.reach import FINDER, reach
from infra.bundles.written import LIST, write_bundles

ROOT = Path(__file__).parents[2]
BUNDLER = Bundler(ROOT)

MAIN = """
import functions_framework
from flask import Request

from shared import wiring


@functions_framework.http
def note_keep(request: Request) -> str:
    return wiring.{asked}()
"""
WIRING = """
from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.typing_only import Words


def store() -> str:
    from shared.store import keep

    return keep()


def queue() -> str:
    from shared.queue import add

    return add()


def both() -> str:
    return _inner()


def _inner() -> str:
    return store() + queue()


def page() -> str:
    from shared.page import Page

    return Page().read()


def shape(words: Words) -> str:
    return "words"
"""
PAGE = """
from pathlib import Path

FOLDER = Path(__file__).parent / "texts"


class Page:
    def read(self) -> str:
        from shared.store import keep

        return keep() + (FOLDER / "hello.txt").read_text()
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """One function, and a little shared/ with a queue's client that needs a package of its own."""
    root = tmp_path / "project"
    (root / "functions" / "note_keep" / "__pycache__").mkdir(parents=True)
    (root / "functions" / "note_keep" / "function.yaml").write_text("trigger: http\nproviders: []\n")
    (root / "functions" / "note_keep" / "README.md").write_text("# note_keep\n")
    (root / "shared" / "texts").mkdir(parents=True)
    (root / "shared" / "__init__.py").write_text('"""Shared."""\n')
    (root / "shared" / "wiring.py").write_text(WIRING)
    (root / "shared" / "store.py").write_text("def keep() -> str:\n    return 'kept'\n")
    (root / "shared" / "queue.py").write_text("def add() -> str:\n    import nh3\n\n    return nh3.clean('added')\n")
    (root / "shared" / "page.py").write_text(PAGE)
    (root / "shared" / "texts" / "hello.txt").write_text("hello")
    (root / "shared" / "typing_only.py").write_text("Words = list[str]\n")
    shutil.copy(ROOT / "requirements.txt", root)
    return root


def bundle(project: Path, *, asked: str) -> Bundle:
    (project / "functions" / "note_keep" / "main.py").write_text(MAIN.format(asked=asked))
    return Bundler(project).bundle("note_keep")


def shared_of(made: Bundle) -> set[str]:
    return {str(path) for path in made.files if path.parts[0] == "shared"}


def test_a_bundle_is_an_entry_the_function_what_it_needs_of_shared_and_its_lock(project: Path) -> None:
    made = bundle(project, asked="store")

    assert {str(path) for path in made.files} == {
        "main.py",
        "requirements.txt",
        "functions/note_keep/main.py",
        "functions/note_keep/function.yaml",
        "shared/__init__.py",
        "shared/wiring.py",
        "shared/store.py",
    }
    assert b"from functions.note_keep.main import note_keep" in made.files[PurePosixPath("main.py")]


def test_what_another_definition_of_a_module_imports_stays_out(project: Path) -> None:
    asks_for_the_store, asks_for_the_queue = bundle(project, asked="store"), bundle(project, asked="queue")

    assert "shared/queue.py" not in shared_of(asks_for_the_store)
    assert "shared/store.py" not in shared_of(asks_for_the_queue)
    assert "nh3" not in {package.name for package in asks_for_the_store.packages}
    assert "nh3" in {package.name for package in asks_for_the_queue.packages}


def test_what_is_reached_through_others_comes_along(project: Path) -> None:
    assert {"shared/store.py", "shared/queue.py"} <= shared_of(bundle(project, asked="both"))


def test_files_that_a_module_reads_come_along(project: Path) -> None:
    assert {"shared/page.py", "shared/texts/hello.txt"} <= shared_of(bundle(project, asked="page"))
    assert "shared/texts/hello.txt" not in shared_of(bundle(project, asked="store"))


def test_what_only_type_checkers_import_stays_out(project: Path) -> None:
    assert "shared/typing_only.py" not in shared_of(bundle(project, asked="shape"))


def test_an_import_that_nothing_brings_is_named(project: Path) -> None:
    (project / "shared" / "store.py").write_text("import pandas\n\n\ndef keep() -> str:\n    return 'kept'\n")

    with pytest.raises(LockError, match=r"shared\.store imports pandas, which no package of requirements\.txt brings"):
        bundle(project, asked="store")


def test_a_package_that_the_lock_forgot_is_named(project: Path) -> None:
    packages = read_lock(ROOT / "requirements.txt")
    del packages["werkzeug"]
    (project / "requirements.txt").write_text(lock_text(list(packages.values())))

    with pytest.raises(LockError, match=r"werkzeug is needed, and requirements\.txt does not pin it"):
        bundle(project, asked="store")


def test_an_environment_that_differs_from_the_lock_is_named(project: Path) -> None:
    lock = (project / "requirements.txt").read_text()
    (project / "requirements.txt").write_text(lock.replace("\nflask==", "\nflask==9."))

    with pytest.raises(LockError, match=r"flask .* is installed, requirements\.txt pins 9\."):
        bundle(project, asked="store")


def test_built_twice_in_different_places_every_bundle_has_the_same_bytes(tmp_path: Path) -> None:
    one, other = tmp_path / "project", tmp_path / "elsewhere" / "of" / "another"
    for folder in ("functions", "shared"):
        shutil.copytree(ROOT / folder, one / folder, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copytree(one / folder, other / folder, copy_function=_copy_with_another_time_and_mode)
    for project in (one, other):
        shutil.copy(ROOT / "requirements.txt", project)

    here = write_bundles(Bundler(one), tmp_path / "a")
    there = write_bundles(Bundler(other), tmp_path / "b")

    assert {one.bundle.name: one.sha256 for one in here} == {one.bundle.name: one.sha256 for one in there}
    assert [one.sha256 for one in here] == [sha256(one.file.read_bytes()) for one in here]
    assert (tmp_path / "a" / LIST).read_bytes() == (tmp_path / "b" / LIST).read_bytes()


def _copy_with_another_time_and_mode(source: str, target: str) -> None:
    shutil.copyfile(source, target)
    os.utime(target, (1_000_000_000, 1_000_000_000))
    Path(target).chmod(0o755)


def test_a_zip_does_not_depend_on_the_order_of_its_files() -> None:
    one, two = PurePosixPath("a.py"), PurePosixPath("b/c.py")

    assert archive({one: b"1", two: b"2"}) == archive({two: b"2", one: b"1"})


def test_a_zip_keeps_its_files(project: Path) -> None:
    made = bundle(project, asked="store")

    with ZipFile(BytesIO(archive(made.files))) as zipped:
        assert {PurePosixPath(name): zipped.read(name) for name in zipped.namelist()} == dict(made.files)


def test_the_list_names_every_bundle_with_its_hash_and_old_ones_go(project: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "function_that_is_gone.zip").write_bytes(b"old")
    bundle(project, asked="store")

    write_bundles(Bundler(project), tmp_path / "out")

    listed = json.loads((tmp_path / "out" / LIST).read_text())
    content = (tmp_path / "out" / "note_keep.zip").read_bytes()
    assert listed == {"note_keep": {"file": "note_keep.zip", "sha256": sha256(content)}}
    assert not (tmp_path / "out" / "function_that_is_gone.zip").exists()


@pytest.mark.parametrize("name", BUNDLER.functions)
def test_no_bundle_holds_tests_tools_or_another_function(name: str) -> None:
    made = BUNDLER.bundle(name)

    assert {path.parts[0] for path in made.files} == {"main.py", "requirements.txt", "functions", "shared"}
    assert {path.parts[1] for path in made.files if path.parts[0] == "functions"} == {name}
    assert {path.suffix for path in made.files} <= {".py", ".txt", ".yaml", ".json", ".ttf", ""}


def test_whoever_finds_providers_by_name_has_them_in_the_bundle() -> None:
    """The manifest names them: an import graph cannot see them."""
    for name in BUNDLER.functions:
        providers = BUNDLER.providers(name)
        reached = reach(BUNDLER.sources, name, providers)
        if FINDER in reached.definitions:
            assert any(module.startswith("shared.providers.") for module in reached.modules)
            assert any(module.endswith(".connecting") and module.count(".") == 3 for module in reached.modules), name


@pytest.mark.parametrize("name", ["oauth_start", "oauth_callback"])
def test_every_provider_that_can_be_connected_can_be_connected_in_the_cloud(name: str) -> None:
    connectable = {str(path.relative_to(ROOT)) for path in (ROOT / "shared" / "providers").glob("*/connecting.py")}

    assert connectable <= shared_of(BUNDLER.bundle(name))


def test_nothing_else_in_the_product_imports_by_a_name_made_at_run_time() -> None:
    found = set()
    for module, path in BUNDLER.sources.paths.items():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in ("import_module", "__import__"):
                found.add(module)

    assert found == {FINDER[0]}
