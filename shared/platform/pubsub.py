"""The `Publisher` port on Pub/Sub. One call publishes one message and returns once Pub/Sub has it: no batching thread,
which a function whose CPU sleeps between requests could leave with messages unsent.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from shared import log
from shared.errors import ProviderUnavailableError

if TYPE_CHECKING:
    from google.pubsub_v1 import PublisherClient

_TIMEOUT_S = 10.0


def carried(attributes: Mapping[str, str] | None) -> dict[str, str]:
    """The attributes a message takes along: those given, and the trace it belongs to."""
    traceparent = log.traceparent()
    return dict(attributes or {}) | ({"traceparent": traceparent} if traceparent else {})


class PubSubPublisher:
    """The topics of one project.

    emulator_host: "host:port" of an emulator; None for Google's service.
    """

    def __init__(self, *, project: str, emulator_host: str | None = None) -> None:
        self._topics = f"projects/{project}/topics/"
        self._emulator_host = emulator_host

    def publish(self, topic: str, payload: Mapping[str, Any], attributes: Mapping[str, str] | None = None) -> None:
        """Publish JSON; the trace goes along in the attribute `traceparent`.

        Raises: ProviderUnavailableError (it may have been published).
        Source: pubsub.v1 projects.topics.publish.
        """
        from google.api_core import exceptions as google
        from google.pubsub_v1 import PubsubMessage

        data = json.dumps(payload, separators=(",", ":")).encode()
        message = PubsubMessage(data=data, attributes=carried(attributes))
        try:
            self._client.publish(topic=self._topics + topic, messages=[message], retry=None, timeout=_TIMEOUT_S)
        except (google.ServerError, google.Cancelled, google.Aborted, google.TooManyRequests) as error:
            raise ProviderUnavailableError(f"Pub/Sub: {type(error).__name__}") from error

    @cached_property
    def _client(self) -> PublisherClient:
        from google.pubsub_v1 import PublisherClient

        if self._emulator_host is None:
            return PublisherClient()
        import grpc
        from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport

        return PublisherClient(transport=PublisherGrpcTransport(channel=grpc.insecure_channel(self._emulator_host)))
