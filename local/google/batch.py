"""Google's batch endpoint: one multipart/mixed request whose parts are requests of their own.

Source: developers.google.com/workspace/gmail/api/guides/batch; at most 100 parts, and each counts as a call.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesHeaderParser, BytesParser
from http import HTTPStatus
from urllib.parse import urlsplit

from local.google.errors import ApiError
from local.google.gateway import Answer, WireRequest

MAX_PARTS = 100
_BOUNDARY = "batch_throughline_simulator"


@dataclass(frozen=True, slots=True)
class _Part:
    content_id: str
    request: WireRequest


def answer_batch(
    content_type: str,
    authorization: str,
    body: bytes,
    answer_together: Callable[[Sequence[WireRequest]], list[Answer]],
) -> Answer:
    """Take a batch apart, have its parts answered, and put their answers together in the same order."""
    try:
        parts = _parts(content_type, authorization, body)
    except ApiError as error:
        return Answer.error(error)
    answers = answer_together([part.request for part in parts])
    if any(answer.lost for answer in answers):
        return Answer(0, b"", lost=True)
    chunks = [_chunk(part.content_id, answer) for part, answer in zip(parts, answers, strict=True)]
    content = b"".join(chunks) + f"--{_BOUNDARY}--\r\n".encode()
    return Answer(200, content, {"Content-Type": f"multipart/mixed; boundary={_BOUNDARY}"})


def _parts(content_type: str, authorization: str, body: bytes) -> list[_Part]:
    whole = BytesParser().parsebytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body)
    inner = whole.get_payload()
    if whole.get_content_type() != "multipart/mixed" or not isinstance(inner, list):
        raise ApiError(400, "badRequest", "Failed to parse batch request, error: a multipart/mixed body is expected.")
    if len(inner) > MAX_PARTS:
        raise ApiError(400, "badRequest", f"The batch request holds {len(inner)} calls; the limit is {MAX_PARTS}.")
    return [_part(part, authorization) for part in inner if isinstance(part, Message)]


def _part(part: Message, authorization: str) -> _Part:
    content = part.get_payload(decode=True)
    if part.get_content_type() != "application/http" or not isinstance(content, bytes):
        raise ApiError(400, "badRequest", "Failed to parse batch request, error: parts must be application/http.")
    request_line, _, rest = content.lstrip(b"\r\n").partition(b"\n")
    words = request_line.decode("latin-1").split()
    if len(words) < 2:
        raise ApiError(400, "badRequest", "Failed to parse batch request, error: a part has no request line.")
    target = urlsplit(words[1])
    head, separator, body = rest.partition(b"\r\n\r\n")
    if not separator:
        head, _, body = rest.partition(b"\n\n")
    headers = BytesHeaderParser().parsebytes(head)
    own = str(headers.get("Authorization", authorization))
    return _Part(str(part.get("Content-ID", "")), WireRequest(words[0], target.path, target.query, own, body))


def _chunk(content_id: str, answer: Answer) -> bytes:
    name = content_id.strip().removeprefix("<").removesuffix(">")
    inner = {**answer.headers, "Content-Length": str(len(answer.body))}
    head = [
        f"--{_BOUNDARY}",
        "Content-Type: application/http",
        f"Content-ID: <response-{name}>",
        "",
        f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}",
        *(f"{key}: {value}" for key, value in inner.items()),
        "",
        "",
    ]
    return "\r\n".join(head).encode("latin-1", "replace") + answer.body + b"\r\n"
