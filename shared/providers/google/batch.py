"""Several calls in one HTTP request: the multipart framing of Google's batch endpoints, in and out.

The client library's own batch sends refused parts again through credentials objects, which we do not have, and raises
errors that quote addresses; its framing is short enough to be ours.

Source: developers.google.com/workspace/gmail/api/guides/batch. Each part is an `application/http` message; the headers
of the outer request count for every part; answers come in any order and are matched by Content-ID.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from email.message import Message
from email.parser import BytesParser
from typing import Protocol
from urllib.parse import urlsplit

from shared.providers.wire import Answer


class ApiRequest(Protocol):
    """A call as the client library describes it (its `HttpRequest`): complete but for the token, and not sent."""

    methodId: str  # noqa: N815 - the library's spelling
    method: str
    uri: str
    headers: dict[str, str]
    body: str | None


_OUR_ID = re.compile(r"part-(\d+)>?\s*$")


def encoded(requests: Sequence[ApiRequest]) -> tuple[str, bytes]:
    """The Content-Type and body of a batch."""
    boundary = f"batch-{uuid.uuid4().hex}"
    parts = [_part(number, request) for number, request in enumerate(requests)]
    body = "".join(f"--{boundary}\r\n{part}\r\n" for part in parts) + f"--{boundary}--\r\n"
    return f'multipart/mixed; boundary="{boundary}"', body.encode()


def decoded(answer: Answer, count: int) -> list[Answer | None]:
    """One answer for each of `count` requests, in their order; None where the batch answered nothing readable."""
    answers: list[Answer | None] = [None] * count
    head = f"Content-Type: {answer.headers.get('content-type', '')}\r\n\r\n".encode()
    for part in BytesParser().parsebytes(head + answer.body).walk():
        found = _OUR_ID.search(part.get("Content-ID", ""))
        if found and int(found.group(1)) < count:
            answers[int(found.group(1))] = _answer(part)
    return answers


def _part(number: int, request: ApiRequest) -> str:
    url = urlsplit(request.uri)
    target = f"{url.path}?{url.query}" if url.query else url.path
    body = request.body or ""
    headers = f"Content-Type: application/json\r\nContent-Length: {len(body.encode())}\r\n" if body else ""
    return (
        f"Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\nContent-ID: <part-{number}>\r\n\r\n"
        f"{request.method} {target} HTTP/1.1\r\n{headers}\r\n{body}"
    )


def _answer(part: Message) -> Answer | None:
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return None
    status_line, _, rest = payload.partition(b"\n")
    words = status_line.split(None, 2)
    if len(words) < 2 or not words[1].isdigit():
        return None
    inner = BytesParser().parsebytes(rest)
    body = inner.get_payload(decode=True)
    headers = {name.lower(): value for name, value in inner.items()}
    return Answer(status=int(words[1]), headers=headers, body=body if isinstance(body, bytes) else b"")
