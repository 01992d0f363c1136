"""Functions on the laptop: the real framework, all in one process, or one process each from its bundle."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import urllib3
from werkzeug.test import Client

from local.functions_server import isolated
from local.functions_server.apps import load_functions

ROOT = Path(__file__).parents[3]

FUNCTION = """
import functions_framework
from flask import Request


@functions_framework.http
def {name}(request: Request) -> dict[str, object]:
    said = request.get_data().decode()
    return {{"name": "{name}", "path": request.path, "q": request.args.get("q"), "said": said}}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in ("mailbox_sync", "web_page"):
        folder = tmp_path / "functions" / name
        folder.mkdir(parents=True)
        (folder / "main.py").write_text(FUNCTION.format(name=name))
        (folder / "function.yaml").write_text("trigger: http")
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "words.py").write_text("WORD = 'shared'\n")
    shutil.copy(ROOT / "requirements.txt", tmp_path)
    return tmp_path


@pytest.fixture
def in_one_process(project: Path) -> Client:
    return Client(load_functions(project / "functions"))


def test_each_function_answers_under_its_name(in_one_process: Client) -> None:
    for name in ("mailbox_sync", "web_page"):
        answer = in_one_process.post(f"/{name}/a b/c?q=%20x", data="hello")
        assert answer.get_json() == {"name": name, "path": "/a b/c", "q": " x", "said": "hello"}


def test_name_alone_is_no_redirect(in_one_process: Client) -> None:
    answer = in_one_process.post("/mailbox_sync", data="hello")

    assert answer.status_code == 200
    assert answer.get_json()["path"] == "/"


def test_unknown_name_is_not_found(in_one_process: Client) -> None:
    assert in_one_process.get("/mailbox").status_code == 404


def test_functions_leave_nothing_behind_for_each_other(in_one_process: Client, project: Path) -> None:
    assert "FUNCTION_TARGET" not in os.environ
    assert "FUNCTION_SIGNATURE_TYPE" not in os.environ
    assert "main" not in sys.modules
    assert not [path for path in sys.path if path.startswith(str(project))]


@pytest.fixture
def end_of_test() -> Iterator[list[subprocess.Popen[bytes]]]:
    processes: list[subprocess.Popen[bytes]] = []
    yield processes
    for process in processes:
        process.terminate()
        process.wait()


def test_no_two_functions_get_one_port() -> None:
    assert len(set(isolated.free_ports(500))) == 500


def test_bundles_run_alone_behind_one_front(project: Path, end_of_test: list[subprocess.Popen[bytes]]) -> None:
    uses_shared = FUNCTION.format(name="web_page") + "from shared.words import WORD\n"
    (project / "functions" / "web_page" / "main.py").write_text(uses_shared)

    ports, processes = isolated.start(project, ["mailbox_sync", "web_page"], project)
    end_of_test.extend(processes)
    isolated.wait_until_listening(ports, processes)

    answer = Client(isolated.Front(ports)).post("/web_page/a b?q=x", data="hello")
    direct = urllib3.request("GET", f"http://127.0.0.1:{ports['mailbox_sync']}/")
    assert answer.get_json() == {"name": "web_page", "path": "/a b", "q": "x", "said": "hello"}
    assert direct.json()["name"] == "mailbox_sync"


def test_bundle_that_lacks_a_module_is_named(project: Path) -> None:
    (project / "functions" / "web_page" / "main.py").write_text("import local.cloud\n")

    with pytest.raises(isolated.NotStartedError, match=r"function web_page cannot be bundled: .* imports local\.cloud"):
        isolated.start(project, ["web_page"], project)


def test_bundle_that_fails_at_its_start_is_named(project: Path, end_of_test: list[subprocess.Popen[bytes]]) -> None:
    (project / "functions" / "web_page" / "main.py").write_text("raise RuntimeError\n")

    ports, processes = isolated.start(project, ["web_page"], project)
    end_of_test.extend(processes)

    with pytest.raises(isolated.NotStartedError, match="function web_page ended"):
        isolated.wait_until_listening(ports, processes)
