"""Prove that pushes still reach us: a heartbeat through the real path, and a look at the subscription (I6).

A mailbox that is quiet and a subscription that is gone look alike from the inside. So a message of our own takes the
way Gmail's notices take, and when it does not arrive somebody is told, while the polls cover the silence.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from shared import log
from shared.ports.documents import Documents, Merge
from shared.ports.messages import Publisher, Subscriptions
from shared.ports.time import Clock

PATH = "system/push-path"
TOPIC = "gmail-push"
SUBSCRIPTION = "gmail-push"
HEARTBEAT = "heartbeat"
"""The attribute that marks a message as ours; its value is when it was sent."""

ARRIVES_WITHIN = timedelta(minutes=10)


def check_push_path(
    documents: Documents, *, publisher: Publisher, subscriptions: Subscriptions, clock: Clock, slot: datetime
) -> list[str]:
    """Say what is wrong with the path (in words for the alarm; empty when nothing is), then send the next heartbeat."""
    problems = []
    document = documents.get(PATH)
    sent_at = document.fields.get("sent_at") if document else None
    heard_at = document.fields.get("heard_at") if document else None
    late = sent_at is not None and clock.now() - sent_at > ARRIVES_WITHIN
    if late and (heard_at is None or heard_at < sent_at):
        problems.append("the last heartbeat did not arrive")
    lives_for = subscriptions.lives_for(SUBSCRIPTION)
    if lives_for is not None:
        gone = lives_for == timedelta(0)
        problems.append("the subscription is gone" if gone else "the subscription expires when it is idle")
    for problem in problems:
        log.event("push_path.broken", severity="ERROR", problem=problem)
    sent_now_at = clock.now()  # before it is sent: it may be heard before the next line runs
    publisher.publish(TOPIC, {}, {HEARTBEAT: slot.isoformat()})
    documents.commit([Merge(PATH, {"v": 1, "sent_at": sent_now_at})])
    return problems


def hear_heartbeat(documents: Documents, *, clock: Clock) -> None:
    """A heartbeat arrived. One write; heartbeats are rare and their order does not matter."""
    documents.commit([Merge(PATH, {"v": 1, "heard_at": clock.now()})])
