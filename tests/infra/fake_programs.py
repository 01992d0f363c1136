"""Stand-ins for gcloud and terraform, found on PATH as the real ones are: `install(folder)` puts them there.

They are started some thousand times, so they import little. Both read the world from one JSON file and note every call
in it; a bucket is a folder. What they complain of is what the real programs say.
"""

from __future__ import annotations

import json
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

WORLD = "FAKE_WORLD"

START = """#!{python} -SI
import sys

sys.path.insert(0, {folder!r})
from fake_programs import main

sys.exit(main({name!r}, sys.argv[1:]))
"""


def install(folder: Path, world: Path) -> dict[str, str]:
    """Scripts `gcloud` and `terraform` in `folder`; returns the environment to run them in."""
    folder.mkdir()
    for name in ("gcloud", "terraform"):
        script = folder / name
        script.write_text(START.format(python=sys.executable, folder=os.path.dirname(__file__), name=name))
        script.chmod(0o755)
    return {"PATH": f"{folder}:/usr/bin:/bin", WORLD: str(world)}


class _FailError(Exception):
    """What the program says, and that it ends with code 1."""


def main(program: str, arguments: list[str]) -> int:
    file = os.environ[WORLD]
    world: dict[str, Any] = json.loads(_read(file))
    world["calls"].append([program, *arguments])
    try:
        _break(world, program, arguments)
        answer = PROGRAMS[program](world, arguments)
    except _FailError as failed:
        print(failed, file=sys.stderr)
        return 1
    finally:
        _write(file, json.dumps(world))
    print(answer)
    return 0


def _break(world: dict[str, Any], program: str, arguments: list[str]) -> None:
    """world["fails"]: [[words that a call contains, what it says], ...]; each is used up by its first call."""
    called = " ".join([program, *arguments])
    for failure in world["fails"]:
        words, said = failure
        if words in called:
            world["fails"].remove(failure)
            raise _FailError(said)


# ------------------------------------------------------------------------------------------------------------- gcloud


def gcloud(world: dict[str, Any], arguments: list[str]) -> str:
    plain = [word for word in arguments if not word.startswith("--")]
    match plain:
        case ["auth", "print-access-token"]:
            return "token-of-ada"
        case ["projects", "describe", _]:
            return json.dumps({"lifecycleState": "ACTIVE", "projectNumber": "1"})
        case ["billing", "projects", "describe", _]:
            return json.dumps(world["billing"])
        case ["services", "list"]:
            return json.dumps([{"config": {"name": name}} for name in world["services"]])
        case ["services", "enable", *names]:
            world["services"] += names
        case ["firestore", "databases", "list"]:
            return json.dumps(world["databases"])
        case ["domains", "list-user-verified"]:
            return json.dumps([{"id": name} for name in world["domains"]])
        case ["storage", *rest]:
            return _storage(world["buckets"], rest)
    return ""


def _storage(buckets: str, words: list[str]) -> str:
    match words:
        case ["buckets", "describe", bucket]:
            if not os.path.isdir(_place(buckets, bucket)):
                raise _FailError(f"ERROR: (gcloud.storage.buckets.describe) {bucket} not found: 404.")
        case ["buckets", "create", bucket]:
            os.mkdir(_place(buckets, bucket))
        case ["ls", folder]:
            place = _place(buckets, folder)
            if not os.path.isdir(place):
                raise _FailError("ERROR: (gcloud.storage.ls) One or more URLs matched no objects.")
            return "\n".join(f"{folder}{name}" for name in sorted(os.listdir(place)))
        case ["cat", url]:
            return _read(_there(buckets, url))
        case ["cp", source, target]:
            content = _there(buckets, source)
            place = _place(buckets, target)
            os.makedirs(os.path.dirname(place), exist_ok=True)
            with open(content, "rb") as read, open(place, "wb") as written:
                written.write(read.read())
    return ""


def _there(buckets: str, url: str) -> str:
    place = _place(buckets, url)
    if not os.path.isfile(place):
        raise _FailError(f"ERROR: (gcloud.storage) The following URLs matched no objects or files: {url}")
    return place


def _place(buckets: str, url: str) -> str:
    return os.path.join(buckets, url.removeprefix("gs://")) if url.startswith("gs://") else url


# ---------------------------------------------------------------------------------------------------------- terraform


def terraform(world: dict[str, Any], arguments: list[str]) -> str:
    if arguments[0] == "version":
        return json.dumps({"terraform_version": world["terraform_version"]})
    folder = arguments[0].removeprefix("-chdir=")
    if os.environ.get("GOOGLE_OAUTH_ACCESS_TOKEN") != "token-of-ada":
        raise _FailError("Error: Attempted to load application default credentials: could not find default credentials")
    settings = json.loads(_read(f"{folder}/release.auto.tfvars.json"))
    bundles = json.loads(_read(f"{folder}/{settings['bundles']}/bundles.json"))
    match arguments[1]:
        case "plan":
            _write(f"{folder}/plan.bin", json.dumps(bundles))
        case "show":
            return json.dumps({"resource_changes": world["changes"]})
        case "apply":
            world["applied"].append(json.loads(_read(f"{folder}/plan.bin")))
        case "output":
            public = {"value": ["note_keep"]}
            return json.dumps({"functions_base_url": {"value": world["base_url"]}, "public_functions": public})
    return ""


PROGRAMS = {"gcloud": gcloud, "terraform": terraform}


def _read(file: str) -> str:
    with open(file) as opened:
        return opened.read()


def _write(file: str, text: str) -> None:
    with open(file, "w") as opened:
        opened.write(text)
