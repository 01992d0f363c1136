"""python -m local.identity --port 8206 --data DIR [--key PATH] [--project ID]."""

from __future__ import annotations

import argparse
from pathlib import Path

from local.cloud.ports import PROJECT, Ports
from local.cloud.serving import serve_until_stopped
from local.identity.keys import SigningKey
from local.identity.server import create_app


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m local.identity", description="Sign-in of the laptop cloud.")
    parser.add_argument("--port", type=int, default=Ports().identity)
    parser.add_argument("--data", type=Path, required=True, help="folder of users.json")
    parser.add_argument("--key", type=Path, help="PEM file of the signing key; DATA/identity.pem if not given")
    parser.add_argument("--project", default=PROJECT, help="audience of user tokens")
    options = parser.parse_args()
    key = SigningKey.load_or_create(options.key or options.data / "identity.pem")
    serve_until_stopped(create_app(key, options.data, project=options.project), options.port)


if __name__ == "__main__":
    main()
