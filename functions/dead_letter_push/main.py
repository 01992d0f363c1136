"""Park what Pub/Sub gave up on. Trigger: Pub/Sub push, topic dead-letter."""

import functions_framework

from shared import wiring
from shared.entrypoints import Push, push_endpoint


@functions_framework.http
@push_endpoint
def dead_letter_push(push: Push) -> None:
    source = push.attributes.get("CloudPubSubDeadLetterSourceSubscription", "unknown")
    ids = {"subscription": source, "message": push.message_id}
    wiring.park("dead_letter", push.message_id, f"Pub/Sub gave up delivering to {source}", ids)
