"""The laptop cloud starts whole or not at all, says why in one sentence, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
import urllib3

from local.cloud.manifests import ManifestError
from local.cloud.ports import Ports, holder, is_free
from local.cloud.requirements_check import Tools
from local.cloud.supervisor import StartError, State, Step, Supervisor

HERE = Path(__file__).resolve().parents[3]
WITHIN_S = 20.0
NO_EMULATORS = Tools(Path("java"), Path("firestore.jar"), Path("pubsub.jar"))
SMALL = frozenset({"identity", "functions", "scheduler"})

FUNCTION = """
import functions_framework


@functions_framework.http
def web_page(request):
    return "hello"
"""
MANIFEST = """
trigger: http
public: true
memory: 256Mi
timeout_s: 60
concurrency: 20
min_instances: 0
providers: all
owner: web
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project" / "functions" / "web_page"
    folder.mkdir(parents=True)
    (folder / "main.py").write_text(FUNCTION)
    (folder / "function.yaml").write_text(MANIFEST)
    (tmp_path / "project" / "shared").mkdir()
    return tmp_path / "project"


@pytest.fixture
def cloud(project: Path, tmp_path: Path) -> Iterator[Callable[..., Supervisor]]:
    made: list[Supervisor] = []

    def make(ports: Ports, on_progress: Callable[[Step], None] = lambda _: None) -> Supervisor:
        supervisor = Supervisor(
            ports, tmp_path / "data", root=project, only=SMALL, tools=lambda: NO_EMULATORS, on_progress=on_progress
        )
        made.append(supervisor)
        return supervisor

    yield make
    for supervisor in made:
        supervisor.stop()


def eventually(check: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + WITHIN_S
    while not check():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@contextmanager
def taken(port: int) -> Iterator[None]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", port))
        listener.listen()
        yield


def test_parts_start_and_serve(cloud: Callable[..., Supervisor]) -> None:
    ports = Ports.free()
    with cloud(ports) as supervisor:
        assert urllib3.request("GET", f"http://127.0.0.1:{ports.functions}/web_page").data == b"hello"
        assert urllib3.request("GET", supervisor.environment["OIDC_CERTS_URL"]).status == 200
        assert supervisor.ended() == ()
        memory = supervisor.memory()
        assert set(memory) == SMALL | {"total"}
        assert memory["total"].rss_mib > memory["identity"].rss_mib > 5

    assert all(is_free(port) for _, port in ports.by_name())


def test_progress_is_told_step_by_step(cloud: Callable[..., Supervisor]) -> None:
    steps: list[Step] = []
    with cloud(Ports.free(), steps.append):
        told = [(step.name, step.state) for step in steps]

    assert told.index(("functions", State.READY)) < told.index(("scheduler", State.STARTING))
    assert {name for name, state in told if state is State.READY} == SMALL
    assert {step.name for step in steps if step.state is State.STOPPED} == SMALL


def test_taken_port_is_refused_with_its_holder_before_anything_starts(cloud: Callable[..., Supervisor]) -> None:
    ports = Ports.free()
    with taken(ports.scheduler), pytest.raises(StartError) as refused:
        cloud(ports).start()

    said = str(refused.value)
    assert said.startswith(f"port {ports.scheduler} for scheduler is taken by pid {os.getpid()} (")
    assert is_free(ports.identity)


def test_part_that_ends_while_starting_stops_the_others(cloud: Callable[..., Supervisor], project: Path) -> None:
    (project / "functions" / "web_page" / "main.py").write_text("raise RuntimeError('broken at import')")
    ports = Ports.free()

    with pytest.raises(StartError, match=r"functions ended with code 1: RuntimeError: broken at import"):
        cloud(ports).start()

    assert all(is_free(port) for _, port in ports.by_name())


def test_mistake_in_a_manifest_is_found_before_anything_starts(cloud: Callable[..., Supervisor], project: Path) -> None:
    (project / "functions" / "web_page" / "function.yaml").write_text("trigger: mail")

    with pytest.raises(ManifestError, match=r"web_page/function\.yaml: trigger must be"):
        cloud(Ports.free()).start()


def test_part_that_crashes_is_noticed_and_can_be_started_again(cloud: Callable[..., Supervisor]) -> None:
    ports = Ports.free()
    with cloud(ports) as supervisor:
        os.kill(_listener(ports.identity), signal.SIGKILL)
        assert eventually(lambda: supervisor.ended() == ("identity",))

        supervisor.restart("identity")

        assert supervisor.ended() == ()
        assert urllib3.request("GET", supervisor.environment["IDENTITY_CERTS_URL"]).status == 200


def test_part_that_is_paused_answers_nothing_and_then_goes_on(cloud: Callable[..., Supervisor]) -> None:
    with cloud(Ports.free()) as running, urllib3.PoolManager(retries=False) as http:
        page = f"http://127.0.0.1:{running.ports.functions}/web_page"
        head = psutil.Process(running.pid("functions"))

        running.pause("functions")
        _until(lambda: all(one.status() == psutil.STATUS_STOPPED for one in (head, *head.children())))
        with pytest.raises(urllib3.exceptions.TimeoutError):
            http.request("GET", page, timeout=0.3)

        running.resume("functions")
        assert http.request("GET", page, timeout=WITHIN_S).data == b"hello"


def test_second_start_keeps_keys_and_secrets(cloud: Callable[..., Supervisor], tmp_path: Path) -> None:
    def secrets() -> list[object]:
        client = json.loads((tmp_path / "data" / "google_oauth_client.json").read_text())["web"]["client_secret"]
        return [(tmp_path / "data" / name).read_bytes() for name in ("identity.pem", "wrapping.key")] + [client]

    with cloud(Ports.free()):
        first = secrets()
    with cloud(Ports.free()):
        assert secrets() == first


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 0), (signal.SIGKILL, -9)])
def test_nothing_survives_the_supervisor(project: Path, tmp_path: Path, number: signal.Signals, code: int) -> None:
    command = [sys.executable, "-m", "local.cloud", "--free-ports", f"--only={','.join(SMALL)}"]
    supervisor = subprocess.Popen(
        [*command, f"--root={project}", f"--data={tmp_path / 'data'}"], cwd=HERE, stdout=subprocess.PIPE, text=True
    )
    assert supervisor.stdout is not None
    assert any(line.startswith("functions at") for line in supervisor.stdout)
    family = [child.pid for child in psutil.Process(supervisor.pid).children(recursive=True)]
    assert len(family) >= len(SMALL) + 1  # the guardian too

    supervisor.send_signal(number)

    assert supervisor.wait(WITHIN_S) == code
    assert eventually(lambda: not [pid for pid in family if alive(pid)])


def test_command_line_refuses_a_missing_tool_in_one_sentence(project: Path, tmp_path: Path) -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "local.cloud", f"--root={project}", f"--data={tmp_path}"],
        cwd=HERE,
        env={**os.environ, "PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert answer.returncode == 2
    assert answer.stderr.startswith("Java is missing, which Google's emulators run on: sudo apt-get install")
    assert answer.stderr.count("\n") == 1


def test_free_ports_differ_and_the_tasks_emulator_has_two_in_a_row() -> None:
    ports = dict(Ports.free().by_name())

    assert len(set(ports.values())) == len(ports)
    assert ports["tasks_admin"] == ports["tasks"] + 1


def test_holder_of_a_port_is_named_with_its_command() -> None:
    port = Ports.free().google
    with taken(port):
        assert not is_free(port)
        assert holder(port).startswith(f"pid {os.getpid()} (")
    assert is_free(port)


def _listener(port: int) -> int:
    return int(holder(port).split()[1])


def _until(seen: Callable[[], bool]) -> None:
    give_up_at = time.monotonic() + WITHIN_S
    while not seen():
        assert time.monotonic() < give_up_at
        time.sleep(0.01)
