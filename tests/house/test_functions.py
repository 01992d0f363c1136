"""Every function folder is wiring with a manifest and a page for whoever sets it up, and knows no other folder."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from local.cloud.manifests import load_manifests

ROOT = Path(__file__).parents[2]
FOLDERS = sorted(path.parent for path in (ROOT / "functions").glob("*/main.py"))
LONGEST_MAIN = 60


def by_name(folder: Path) -> str:
    return folder.name


def test_every_manifest_can_be_read() -> None:
    assert len(load_manifests(ROOT / "functions")) == len(FOLDERS)


@pytest.mark.parametrize("folder", FOLDERS, ids=by_name)
def test_a_function_is_called_like_its_folder(folder: Path) -> None:
    tree = ast.parse((folder / "main.py").read_text())
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    assert functions[-1].name == folder.name
    decorators = [ast.unparse(decorator) for decorator in functions[-1].decorator_list]
    assert decorators[0] == "functions_framework.http"
    assert decorators[1].endswith("_endpoint")


@pytest.mark.parametrize("folder", FOLDERS, ids=by_name)
def test_a_function_is_wiring_alone(folder: Path) -> None:
    source = (folder / "main.py").read_text()
    assert len(source.splitlines()) <= LONGEST_MAIN
    roots = {name.split(".")[0] for name in _imported(source)}
    assert roots <= {"functions_framework", "flask", "shared", "collections", "typing", "datetime", "functools", "hmac"}


@pytest.mark.parametrize("folder", FOLDERS, ids=by_name)
def test_a_function_has_a_page(folder: Path) -> None:
    page = (folder / "README.md").read_text()
    assert page.startswith(f"# {folder.name}\n")
    assert len(page.splitlines()) >= 3


def _imported(source: str) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found
