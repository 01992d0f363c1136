"""`make replay f=gmail_push fixture=notice.json`: call a function as Pub/Sub, Cloud Tasks or the scheduler would.

The fixture is what the function's trigger carries: a task's payload, the data of a Pub/Sub message; a job has none. The
call is signed with the laptop cloud's key. Exit codes: 0 for a 2xx, 1 for any other answer, 2 with a sentence.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import urllib3

from local.bridge.envelope import Pulled, push_body, push_headers
from local.cloud.environment import CALLER, signing_key_file
from local.cloud.manifests import Manifest, Trigger, load_manifests
from local.cloud.ports import HOST, PROJECT, Ports
from local.identity.keys import SigningKey

FUNCTIONS = Path("functions")


class NotReplayableError(Exception):
    """The message is one sentence for the person."""


@dataclass(frozen=True, slots=True)
class Call:
    headers: Mapping[str, str]
    body: bytes


def manifest_of(name: str, functions: Path = FUNCTIONS) -> Manifest:
    """Raises: NotReplayableError."""
    for manifest in load_manifests(functions):
        if manifest.name == name:
            return manifest
    raise NotReplayableError(f"there is no function {name!r} below {functions}/")


def signed_call(manifest: Manifest, fixture: bytes, key: SigningKey, *, base_url: str, now: datetime) -> Call:
    """base_url: of the functions, as they know it: the token is for base_url/<name>. Raises: NotReplayableError."""
    token = key.mint_service_token(f"{base_url}/{manifest.name}", CALLER)
    proof = {"Authorization": f"Bearer {token}"}
    name = hashlib.sha256(fixture).hexdigest()
    match manifest.trigger:
        case Trigger.TASK:
            headers = {"X-CloudTasks-TaskName": name, "X-CloudTasks-QueueName": manifest.queue or ""}
            return Call({**proof, **headers, "Content-Type": "application/json"}, fixture)
        case Trigger.PUSH:
            message = Pulled(message_id=name[:16], data=fixture, attributes={}, published_at=now)
            return Call(push_headers(token), push_body(message, f"projects/{PROJECT}/subscriptions/replayed"))
        case Trigger.SCHEDULE:
            job = {
                "X-CloudScheduler-JobName": manifest.cloud_name,
                "X-CloudScheduler-ScheduleTime": now.isoformat(),
            }
            return Call({**proof, **job}, b"")
        case Trigger.HTTP:
            raise NotReplayableError(
                f"{manifest.name} is called by people or by a vendor: sign in, or let the vendor's simulator send it"
            )


def main(arguments: list[str] | None = None) -> int:
    ports = Ports()
    parser = argparse.ArgumentParser(prog="make replay", description=__doc__)
    parser.add_argument("function")
    parser.add_argument("fixture", type=Path, nargs="?")
    parser.add_argument("--data", type=Path, default=Path(".local"))
    parser.add_argument("--base-url", default=f"http://{HOST}:{ports.functions}")
    parser.add_argument("--url", help="where the function listens; base-url/<function> unless given")
    options = parser.parse_args(arguments)
    try:
        manifest = manifest_of(options.function)
        if not signing_key_file(options.data).exists():
            raise NotReplayableError("the laptop cloud has no key yet: start it with make run")
        key = SigningKey.load_or_create(signing_key_file(options.data))
        fixture = options.fixture.read_bytes() if options.fixture else b""
        call = signed_call(manifest, fixture, key, base_url=options.base_url, now=datetime.now(UTC))
        url = options.url or f"{options.base_url}/{manifest.name}"
        answer = urllib3.request("POST", url, headers=call.headers, body=call.body, retries=False, timeout=130)
    except (NotReplayableError, OSError) as problem:
        print(problem, file=sys.stderr)
        return 2
    except urllib3.exceptions.HTTPError:
        print(f"nothing answers at {url}: start it with make run, or make serve f={manifest.name}", file=sys.stderr)
        return 2
    print(answer.status, answer.data.decode(errors="replace"))
    return 0 if 200 <= answer.status < 300 else 1


if __name__ == "__main__":
    sys.exit(main())
