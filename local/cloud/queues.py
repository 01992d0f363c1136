"""python -m local.cloud.queues --functions functions: make the queues the manifests ask for.

Reads GOOGLE_CLOUD_PROJECT, TASKS_LOCATION and CLOUD_TASKS_EMULATOR_HOST. A program of its own, so that the supervisor
does not keep the Tasks client in memory. A queue that is there gets the settings of its manifest.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

import grpc
from google.api_core.exceptions import AlreadyExists, ServiceUnavailable
from google.api_core.retry import Retry, if_exception_type
from google.cloud.tasks_v2 import CloudTasksClient, Queue, RateLimits, RetryConfig
from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcTransport

from local.cloud.manifests import Manifest, ManifestError, QueueSettings, load_manifests

WHILE_STARTING = Retry(if_exception_type(ServiceUnavailable), initial=0.05, maximum=0.2, multiplier=1.5, timeout=30.0)


def queues_of(manifests: Iterable[Manifest]) -> dict[str, QueueSettings]:
    """Return settings by queue: those of the function it serves, or the usual ones if it is only named in `uses`."""
    manifests = tuple(manifests)
    settings = {queue: QueueSettings() for manifest in manifests for queue in manifest.uses.queues}
    return settings | {manifest.queue: manifest.queue_settings for manifest in manifests if manifest.queue}


def create(host: str, project: str, location: str, queues: dict[str, QueueSettings]) -> None:
    """Create or update `queues` on the emulator at `host`, "127.0.0.1:8203", waiting for it to start."""
    channel = grpc.insecure_channel(host)
    client = CloudTasksClient(transport=CloudTasksGrpcTransport(channel=channel))
    parent = f"projects/{project}/locations/{location}"
    for name, settings in queues.items():
        queue = _queue(f"{parent}/queues/{name}", settings)
        try:
            client.create_queue(parent=parent, queue=queue, retry=WHILE_STARTING, timeout=5.0)
        except AlreadyExists:
            client.update_queue(queue=queue, timeout=5.0)
    channel.close()


def _queue(name: str, settings: QueueSettings) -> Queue:
    return Queue(
        name=name,
        rate_limits=RateLimits(
            max_dispatches_per_second=settings.rate_per_s, max_concurrent_dispatches=settings.concurrent
        ),
        retry_config=RetryConfig(
            max_attempts=settings.max_attempts,
            min_backoff=timedelta(seconds=settings.min_backoff_s),
            max_backoff=timedelta(seconds=settings.max_backoff_s),
        ),
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m local.cloud.queues", description="Make the queues.")
    parser.add_argument("--functions", type=Path, default=Path("functions"), help="folder of functions")
    options = parser.parse_args()
    try:
        queues = queues_of(load_manifests(options.functions))
    except ManifestError as wrong:
        print(wrong, file=sys.stderr)
        sys.exit(2)
    host, project = os.environ["CLOUD_TASKS_EMULATOR_HOST"], os.environ["GOOGLE_CLOUD_PROJECT"]
    create(host, project, os.environ["TASKS_LOCATION"], queues)


if __name__ == "__main__":
    main()
