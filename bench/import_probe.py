"""What each function imports: `python -m bench.import_probe HEAVY...` prints {function: {"import": [...], "refusal": [...]}}.

One fresh interpreter loads the framework; every function is then imported in a fork of it, which knows nothing of the
others. "import" is what main.py alone brings, "refusal" what answering a caller without proof brings besides: nobody
may make an instance load what only real work needs.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Collection
from pathlib import Path

import functions_framework

ROOT = Path(__file__).resolve().parents[1]


def probe(name: str, heavy: Collection[str]) -> dict[str, list[str]]:
    """Import one function here, send it a request without proof, and return what of `heavy` is loaded."""
    app = functions_framework.create_app(target=name, source=str(ROOT / "functions" / name / "main.py"))
    imported = loaded(heavy)
    status = app.test_client().post("/", json={}).status_code
    if not 200 <= status < 500:
        raise RuntimeError(f"{name} answers {status} to a request without proof")
    return {"import": imported, "refusal": [module for module in loaded(heavy) if module not in imported]}


def loaded(heavy: Collection[str]) -> list[str]:
    return sorted(module for module in heavy if module in sys.modules)


def probe_in_fork(name: str, heavy: Collection[str]) -> dict[str, list[str]]:
    """As `probe`, in a process of its own. Raises: RuntimeError if the function cannot be imported or fails."""
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read_end)
        os.dup2(2, 1)  # what functions log is not our answer
        with os.fdopen(write_end, "w") as answer:
            json.dump(probe(name, heavy), answer)
        os._exit(0)
    os.close(write_end)
    with os.fdopen(read_end) as answer:
        told = answer.read()
    _, status = os.waitpid(child, 0)
    if status or not told:
        raise RuntimeError(f"{name} cannot be imported alone")
    found: dict[str, list[str]] = json.loads(told)
    return found


def main() -> None:
    heavy = sys.argv[1:]
    names = sorted(path.parent.name for path in (ROOT / "functions").glob("*/main.py"))
    os.environ.setdefault("GOOGLE_CLOUD_PROJECT", "probe")
    os.environ.setdefault("FUNCTIONS_BASE_URL", "http://127.0.0.1:1")
    os.environ.setdefault("OIDC_CERTS_URL", "http://127.0.0.1:1/x509")
    os.environ.setdefault("OIDC_CALLER", "functions@probe.example")
    os.environ.setdefault("IDENTITY_CERTS_URL", "http://127.0.0.1:1/x509")
    os.environ.setdefault("IDENTITY_PROJECT", "probe")
    print(json.dumps({name: probe_in_fork(name, heavy) for name in names}))


if __name__ == "__main__":
    main()
