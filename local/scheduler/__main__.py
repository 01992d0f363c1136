"""python -m local.scheduler --port 8208 --functions functions --key PATH.

Reads FUNCTIONS_BASE_URL and OIDC_CALLER.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from local.cloud.manifests import ManifestError, load_manifests
from local.cloud.ports import Ports
from local.cloud.serving import serve_until_stopped
from local.identity.keys import SigningKey
from local.scheduler.face import create_app
from local.scheduler.jobs import HttpCall, jobs_of
from local.scheduler.runner import Runner


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m local.scheduler", description="Cloud Scheduler of the laptop.")
    parser.add_argument("--port", type=int, default=Ports().scheduler)
    parser.add_argument("--functions", type=Path, default=Path("functions"), help="folder of functions")
    parser.add_argument("--key", type=Path, required=True, help="PEM file of the signing key")
    options = parser.parse_args()
    try:
        manifests = load_manifests(options.functions)
    except ManifestError as wrong:
        print(wrong, file=sys.stderr)
        sys.exit(2)
    key, caller = SigningKey.load_or_create(options.key), os.environ["OIDC_CALLER"]

    def mint(audience: str) -> str:
        return key.mint_service_token(audience, caller)

    call = HttpCall(mint)
    runners = [Runner(job, call) for job in jobs_of(manifests, os.environ["FUNCTIONS_BASE_URL"])]
    for runner in runners:
        runner.start()
    serve_until_stopped(create_app(runners), options.port)
    for runner in runners:
        runner.stop()


if __name__ == "__main__":
    main()
