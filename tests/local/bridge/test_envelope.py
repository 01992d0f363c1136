"""The body of a push, byte for byte what Pub/Sub documents."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

from local.bridge.envelope import ACKNOWLEDGED, Pulled, push_body

SUBSCRIPTION = "projects/throughline-local/subscriptions/gmail-push"
MESSAGE = Pulled("17", b'{"historyId":"9"}', {"kind": "mail"}, datetime(2026, 1, 30, 12, 0, 0, 5000, tzinfo=UTC))


def test_push_wraps_the_message_with_both_spellings_of_its_ids() -> None:
    assert json.loads(push_body(MESSAGE, SUBSCRIPTION)) == {
        "message": {
            "data": "eyJoaXN0b3J5SWQiOiI5In0=",
            "attributes": {"kind": "mail"},
            "messageId": "17",
            "message_id": "17",
            "publishTime": "2026-01-30T12:00:00.005Z",
            "publish_time": "2026-01-30T12:00:00.005Z",
        },
        "subscription": SUBSCRIPTION,
    }


def test_ordering_key_and_delivery_attempt_are_there_only_when_known() -> None:
    body = json.loads(push_body(replace(MESSAGE, ordering_key="m-1", delivery_attempt=3), SUBSCRIPTION))

    assert body["message"]["orderingKey"] == "m-1"
    assert body["deliveryAttempt"] == 3


def test_empty_data_is_left_out() -> None:
    assert "data" not in json.loads(push_body(replace(MESSAGE, data=b""), SUBSCRIPTION))["message"]


def test_only_five_answers_acknowledge() -> None:
    assert sorted(ACKNOWLEDGED) == [102, 200, 201, 202, 204]
