"""Messages onto a topic of the Pub/Sub emulator, over its REST face: no gRPC client is worth loading for this."""

from __future__ import annotations

import base64
import http.client
import json

from local.google.service import PublishError

_TIMEOUT_S = 5.0


class EmulatorPublisher:
    """Publishes with `POST /v1/{topic}:publish`.

    Args:
        host: "127.0.0.1:8085", the value of PUBSUB_EMULATOR_HOST.
    """

    def __init__(self, host: str) -> None:
        self._host = host

    def __call__(self, topic: str, content: bytes) -> None:
        """Put `content` on `topic` ("projects/P/topics/T").

        Raises:
            PublishError: there is no such topic, or the emulator does not answer.
        """
        body = json.dumps({"messages": [{"data": base64.b64encode(content).decode()}]})
        connection = http.client.HTTPConnection(self._host, timeout=_TIMEOUT_S)
        try:
            connection.request("POST", f"/v1/{topic}:publish", body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            answer.read()
        except OSError as failure:
            raise PublishError(f"Pub/Sub at {self._host} does not answer") from failure
        finally:
            connection.close()
        if answer.status != 200:
            raise PublishError(f"Pub/Sub refused a message for {topic} with {answer.status}")


def publish_nowhere(topic: str, content: bytes) -> None:
    """What stands in when no Pub/Sub is configured: notifications are lost, which mailbox polling must survive."""
