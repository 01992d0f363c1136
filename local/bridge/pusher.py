"""Pulls one subscription and pushes what it gets, as Pub/Sub's own push does."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from statistics import median
from typing import Any

import urllib3
from google.api_core.exceptions import GoogleAPICallError
from google.cloud.pubsub_v1 import SubscriberClient
from google.cloud.pubsub_v1.subscriber.message import Message
from google.cloud.pubsub_v1.subscriber.scheduler import ThreadScheduler
from google.cloud.pubsub_v1.types import FlowControl

from local.bridge.envelope import ACKNOWLEDGED, Pulled, push_body, push_headers
from local.bridge.wiring import Subscription
from local.cloud.serving import log_lines

IN_FLIGHT = 20
_AGAIN_AFTER_S = 0.5
_log = log_lines("bridge")


class Pusher:
    """Delivers the messages of one subscription until stopped, at most `IN_FLIGHT` at a time.

    Acknowledges what the endpoint acknowledged; anything else (another status, no answer within the ack deadline, no
    connection) goes back to Pub/Sub, whose retry and dead-letter policies decide what happens next.
    """

    def __init__(
        self,
        project: str,
        subscription: Subscription,
        mint: Callable[[str], str],
        ensure: Callable[[], None],
    ) -> None:
        """Args:
        mint: returns a service token for an audience.
        ensure: makes topics and subscriptions that are missing; an emulator that restarted has forgotten them.
        """
        self._subscription = subscription
        self._path = SubscriberClient.subscription_path(project, subscription.name)
        self._mint = mint
        self._ensure = ensure
        self._http = urllib3.PoolManager(maxsize=IN_FLIGHT, retries=False)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._keep_pulling, name=f"pull-{subscription.name}", daemon=True)
        self._pull: Any = None
        self._statuses: Counter[str] = Counter()
        self._recent_ms: deque[float] = deque(maxlen=1000)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Take no more messages; `wait_stopped` tells when those in flight are done."""
        self._stopping.set()
        if self._pull is not None:
            self._pull.cancel()

    def wait_stopped(self, timeout_s: float) -> None:
        self._thread.join(timeout_s)

    def figures(self) -> dict[str, Any]:
        """Return deliveries by answer, and the median time of the last 1,000 in ms."""
        recent = list(self._recent_ms)
        return {"answers": dict(self._statuses), "p50_ms": round(median(recent), 1) if recent else None}

    def _keep_pulling(self) -> None:
        while not self._stopping.is_set():
            try:
                with SubscriberClient() as subscriber:
                    self._pull = subscriber.subscribe(
                        self._path,
                        self._deliver,
                        flow_control=FlowControl(max_messages=IN_FLIGHT),
                        scheduler=ThreadScheduler(ThreadPoolExecutor(IN_FLIGHT)),
                    )
                    if self._stopping.is_set():
                        self._pull.cancel()
                    self._pull.result()
            except GoogleAPICallError as lost:
                fields = {"subscription": self._subscription.name, "reason": type(lost).__name__}
                _log.warning("pull ended; starting again", extra={"fields": fields})
                self._stopping.wait(_AGAIN_AFTER_S)
                self._remake()

    def _remake(self) -> None:
        with suppress(GoogleAPICallError):  # still away: the next pull fails and comes back here
            self._ensure()

    def _deliver(self, message: Message) -> None:
        began = time.monotonic()
        status = self._post(message)
        took_ms = (time.monotonic() - began) * 1000
        if status in ACKNOWLEDGED:
            message.ack()
        else:
            message.nack()
        self._statuses[str(status)] += 1
        self._recent_ms.append(took_ms)
        fields = {
            "subscription": self._subscription.name,
            "message_id": message.message_id,
            "attempt": message.delivery_attempt,
            "status": status,
            "took_ms": round(took_ms, 1),
        }
        _log.info("delivered" if status in ACKNOWLEDGED else "refused", extra={"fields": fields})

    def _post(self, message: Message) -> int:
        """Return the endpoint's status, 0 if it did not answer."""
        endpoint = self._subscription.endpoint
        pulled = Pulled(
            message_id=message.message_id,
            data=message.data,
            attributes=message.attributes,
            published_at=message.publish_time,
            ordering_key=message.ordering_key,
            # The emulator counts for every subscription, Pub/Sub only for those with a dead-letter policy.
            delivery_attempt=message.delivery_attempt if self._subscription.max_attempts else None,
        )
        with suppress(urllib3.exceptions.HTTPError):
            answer = self._http.request(
                "POST",
                endpoint,
                body=push_body(pulled, self._path),
                headers=push_headers(self._mint(endpoint)),
                timeout=self._subscription.ack_deadline_s,
                redirect=False,
            )
            return int(answer.status)
        return 0
