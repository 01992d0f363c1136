"""python -m local.bridge --port 8207 --functions functions --key PATH.

Reads GOOGLE_CLOUD_PROJECT, PUBSUB_EMULATOR_HOST, FUNCTIONS_BASE_URL and OIDC_CALLER. Waits for the emulator, makes
topics and subscriptions, then answers GET /healthz, and GET /state with the deliveries so far.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from flask import Flask
from flask.typing import ResponseReturnValue

from local.bridge import wiring
from local.bridge.pusher import Pusher
from local.cloud.manifests import ManifestError, load_manifests
from local.cloud.ports import Ports
from local.cloud.serving import require_free, serve_until_stopped
from local.identity.keys import SigningKey

GRACE_S = 0.5


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m local.bridge", description="Pub/Sub push of the laptop cloud.")
    parser.add_argument("--port", type=int, default=Ports().bridge)
    parser.add_argument("--functions", type=Path, default=Path("functions"), help="folder of functions")
    parser.add_argument("--key", type=Path, required=True, help="PEM file of the signing key")
    options = parser.parse_args()
    require_free(options.port)
    try:
        manifests = load_manifests(options.functions)
    except ManifestError as wrong:
        print(wrong, file=sys.stderr)
        sys.exit(2)
    project, caller = os.environ["GOOGLE_CLOUD_PROJECT"], os.environ["OIDC_CALLER"]
    topics = wiring.topics_of(manifests)
    subscriptions = wiring.subscriptions_of(manifests, os.environ["FUNCTIONS_BASE_URL"])
    key = SigningKey.load_or_create(options.key)

    def ensure() -> None:
        wiring.create(project, topics, subscriptions)

    def mint(audience: str) -> str:
        return key.mint_service_token(audience, caller)

    ensure()
    pushers = {one.name: Pusher(project, one, mint, ensure) for one in subscriptions}
    for pusher in pushers.values():
        pusher.start()
    serve_until_stopped(_face(pushers), options.port)
    _leave(tuple(pushers.values()))


def _leave(pushers: tuple[Pusher, ...]) -> None:
    for pusher in pushers:
        pusher.stop()
    for pusher in pushers:
        pusher.wait_stopped(GRACE_S / len(pushers))
    # The client's own threads take seconds to notice that the emulator is gone, and would keep the process until then.
    os._exit(0)


def _face(pushers: dict[str, Pusher]) -> Flask:
    app = Flask("bridge")

    @app.get("/healthz")
    def healthz() -> ResponseReturnValue:
        return {"ok": True}

    @app.get("/state")
    def state() -> ResponseReturnValue:
        return {name: pusher.figures() for name, pusher in pushers.items()}

    return app


if __name__ == "__main__":
    main()
