"""The `Subscriptions` port on Pub/Sub."""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from shared.errors import ProviderUnavailableError
from shared.ports.marks import reads

if TYPE_CHECKING:
    from google.pubsub_v1 import SubscriberClient

_TIMEOUT_S = 10.0
_UNSAID = timedelta(days=31)
"""What Pub/Sub does to a subscription that says nothing about its expiration."""


class PubSubSubscriptions:
    """emulator_host: "host:port" of an emulator; None for Google's service."""

    def __init__(self, *, project: str, emulator_host: str | None = None) -> None:
        self._subscriptions = f"projects/{project}/subscriptions/"
        self._emulator_host = emulator_host

    @reads
    def lives_for(self, name: str) -> timedelta | None:
        """Source: pubsub.v1 projects.subscriptions.get -> expirationPolicy: absent means 31 days, without ttl never."""
        from google.api_core import exceptions as google

        try:
            found = self._client.get_subscription(subscription=self._subscriptions + name, timeout=_TIMEOUT_S)
        except google.NotFound:
            return timedelta(0)
        except (google.ServerError, google.Cancelled, google.Aborted, google.TooManyRequests) as error:
            raise ProviderUnavailableError(f"Pub/Sub: {type(error).__name__}") from error
        if "expiration_policy" not in found:
            return _UNSAID
        ttl: timedelta | None = found.expiration_policy.ttl
        return ttl or None

    @cached_property
    def _client(self) -> SubscriberClient:
        from google.pubsub_v1 import SubscriberClient

        if self._emulator_host is None:
            return SubscriberClient()
        import grpc
        from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

        return SubscriberClient(transport=SubscriberGrpcTransport(channel=grpc.insecure_channel(self._emulator_host)))
