"""Which heavy modules each function loads, and when: `python -m bench.import_probe` with a question on standard input.

{"heavy": [module, ...], "requests": {function: {"method", "path", "headers", "body"}}} is answered with
{function: {"import": [...], "refusal": [...], "answer": [...], "problems": [...]}}: what main.py alone brings, what
answering a caller without proof brings besides, what the request given for it brings besides, and what went wrong.

One fresh interpreter loads the framework; every function then runs in a fork of it, which knows nothing of the others.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import functions_framework
from flask import Flask

from bench.stand_ins import vendor_clients
from bench.trivial_request import TrivialRequest

ROOT = Path(__file__).resolve().parents[1]
NOWHERE: Mapping[str, str] = {
    "GOOGLE_CLOUD_PROJECT": "probe",
    "FUNCTIONS_BASE_URL": "http://127.0.0.1:1",
    "OIDC_CERTS_URL": "http://127.0.0.1:1/x509",
    "OIDC_CALLER": "functions@probe.example",
    "IDENTITY_CERTS_URL": "http://127.0.0.1:1/x509",
    "IDENTITY_PROJECT": "probe",
}
"""An environment in which nothing can be reached: a refusal must not need anything."""

Loaded = dict[str, dict[str, list[str]]]

_create_app: Callable[..., Flask] = functions_framework.create_app  # the framework has no type hints


def probed(
    heavy: Sequence[str],
    requests: Mapping[str, TrivialRequest] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Loaded:
    """Ask a new interpreter. requests: by function; `environment` then says where the cloud is.

    Raises: RuntimeError with what it said last, if a function cannot be imported.
    """
    told = {name: {**asdict(one), "body": one.body.decode()} for name, one in (requests or {}).items()}
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        given = {**os.environ, **NOWHERE, **vendor_clients(Path(folder)), **(environment or {})}
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "bench.import_probe"],
            cwd=ROOT,
            env=given,
            input=json.dumps({"heavy": list(heavy), "requests": told}),
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    found: Loaded = json.loads(done.stdout)
    return found


def main() -> None:
    question = json.load(sys.stdin)
    names = sorted(path.parent.name for path in (ROOT / "functions").glob("*/main.py"))
    requests = question["requests"]
    print(json.dumps({name: _in_fork(name, question["heavy"], requests.get(name)) for name in names}))


def _in_fork(name: str, heavy: Sequence[str], request: dict[str, Any] | None) -> dict[str, list[str]]:
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read_end)
        os.dup2(2, 1)  # what functions log is not our answer
        with os.fdopen(write_end, "w") as answer:
            json.dump(_stages(name, heavy, request), answer)
        os._exit(0)
    os.close(write_end)
    with os.fdopen(read_end) as answer:
        told = answer.read()
    _, status = os.waitpid(child, 0)
    if status:
        raise RuntimeError(f"{name} cannot be probed")
    found: dict[str, list[str]] = json.loads(told)
    return found


def _stages(name: str, heavy: Sequence[str], request: dict[str, Any] | None) -> dict[str, list[str]]:
    client = _create_app(target=name, source=str(ROOT / "functions" / name / "main.py")).test_client()
    imported = _loaded(heavy)
    statuses = {"without proof": client.post("/", json={}).status_code}
    refused = _loaded(heavy)
    if request is not None:
        sent = {"method": request["method"], "headers": request["headers"], "data": request["body"].encode()}
        statuses["its request"] = client.open(request["path"], **sent).status_code
    answered = _loaded(heavy)
    return {
        "import": sorted(imported),
        "refusal": sorted(refused - imported),
        "answer": sorted(answered - refused),
        "problems": [f"{asked}: {status}" for asked, status in statuses.items() if status >= 500],
    }


def _loaded(heavy: Sequence[str]) -> set[str]:
    return {module for module in heavy if module in sys.modules}


if __name__ == "__main__":
    main()
