"""The framing of batches."""

from __future__ import annotations

from dataclasses import dataclass, field
from email.parser import BytesParser

from shared.providers.google.batch import decoded, encoded
from shared.providers.wire import Answer


@dataclass
class Described:
    """A call as the client library describes it."""

    uri: str
    method: str = "GET"
    body: str | None = None
    methodId: str = "gmail.users.messages.get"  # noqa: N815 - the library's spelling
    headers: dict[str, str] = field(default_factory=dict)


def part(number: int, status: int, body: str, boundary: str = "b") -> bytes:
    return (
        f"--{boundary}\r\nContent-Type: application/http\r\nContent-ID: <response-part-{number}>\r\n\r\n"
        f"HTTP/1.1 {status} Whatever\r\nContent-Type: application/json\r\nRetry-After: 3\r\n\r\n{body}\r\n"
    ).encode()


def answer(*parts: bytes) -> Answer:
    return Answer(200, {"content-type": "multipart/mixed; boundary=b"}, b"".join(parts) + b"--b--\r\n")


def test_a_batch_holds_each_request_with_its_search_words_and_body() -> None:
    content_type, body = encoded(
        [
            Described("https://gmail.example/gmail/v1/users/me/messages/1a?format=metadata&alt=json"),
            Described("https://gmail.example/gmail/v1/users/me/watch", method="POST", body='{"topicName": "ü"}'),
        ]
    )
    whole = BytesParser().parsebytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body)
    first, second = (sent.get_payload(decode=True) for sent in list(whole.walk())[1:])
    assert first == b"GET /gmail/v1/users/me/messages/1a?format=metadata&alt=json HTTP/1.1\r\n\r\n"
    assert isinstance(second, bytes)
    assert second.endswith('Content-Length: 19\r\n\r\n{"topicName": "ü"}'.encode())


def test_answers_are_put_back_in_order_with_their_headers() -> None:
    answers = decoded(answer(part(1, 404, "{}"), part(0, 200, '{"snippet": "Grüße, 你好"}')), 2)
    assert [found.status if found else None for found in answers] == [200, 404]
    assert answers[0] is not None
    assert answers[0].body.decode() == '{"snippet": "Grüße, 你好"}'
    assert answers[0].headers["retry-after"] == "3"


def test_a_part_without_an_answer_is_told_apart_from_an_empty_one() -> None:
    assert decoded(answer(part(1, 204, "")), 3)[0] is None
    assert decoded(answer(part(1, 204, "")), 3)[1] == Answer(
        204, {"content-type": "application/json", "retry-after": "3"}, b""
    )


def test_garbage_answers_nothing() -> None:
    nonsense = b"--b\r\nContent-Type: application/http\r\nContent-ID: <response-part-0>\r\n\r\nnot http\r\n"
    for garbled in (Answer(200, {}, b"<html>"), answer(nonsense), answer(part(7, 200, "{}"))):
        assert decoded(garbled, 1) == [None]
