"""Requests as strangers make them: methods, paths, arguments, headers and bodies, near the truth or far from it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from tests.hostile import dictionary

METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "BREW")
PEOPLE = ("u-anna", "u-fiona", "u-ada")

NASTY_TEXTS = (
    "",
    " ",
    "\x00",
    "a\x00b",
    "\ud800",
    "\U0001f4a9",
    ".",
    "..",
    "../../etc/passwd",
    "/",
    "a/b",
    "__all__",
    "%2e%2e%2f",
    "\r\nSet-Cookie: a=b",
    "<script>alert(1)</script>",
    "=HYPERLINK(1)",
    "' OR 1=1 --",
    "{{7*7}}${7*7}",
    "\u202egnp.exe",
    "\u200b\ufeff",
    "ß",
    "İ",
    "ﬀ",
    "a" * 1_501,
    "é" * 800,
    "9" * 5_000,
    "-1",
    "1e999999",
    "NaN",
    "Infinity",
    "0x10",
    "٣",
    "²",
    "0001-01-01",
    "9999-12-31",
    "2026-02-30",
    "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59-23:59",
    "2026-03-02T09:00:00Z",
    "anna@acme.example",
    "a@" + "b" * 300,
    "true",
    "null",
    "[]",
)

DEPTH = 100_000
NASTY_BODIES = (
    b"",
    b"\x00",
    b"\xff\xfe\x00\x00",
    b"null",
    b"true",
    b"0",
    b'"text"',
    b"[]",
    b"[[]]",
    b'[{"id": 1}]',
    b"{",
    b'{"a": }',
    b'{"a": NaN, "b": Infinity}',
    b'{"a": 1e999999}',
    b'{"a": ' + b"9" * 5_000 + b"}",
    b'{"\\ud800": "\\udfff"}',
    b'{"\\u0000": "\\u0000"}',
    b"[" * DEPTH,
    b"[" * DEPTH + b"]" * DEPTH,
    b'{"a":' * DEPTH + b"1" + b"}" * DEPTH,
    '{"a": "é"}'.encode("latin-1"),
    '{"a": "é"}'.encode("utf-16"),
    b"\xef\xbb\xbf{}",
    b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbb">]><a>&b;</a>',
    b"<DocuSignEnvelopeInformation/>",
    b"%PDF-1.7\n" + b"x" * 1_000,
    b"%PDF-1.7\n1 0 obj\n<</Length 99999999999>>\nstream\n",
    b"PK\x03\x04" + b"\x00" * 100,
    b"\x89PNG\r\n\x1a\n" + b"\x00\x00\x00\rIHDR" + b"\xff" * 30,
    b"\xff\xd8\xff\xe0" + b"\x00" * 50,
    b"GIF89a" + b"\xff" * 30,
    b"Email,Name\n" + b'"' * 999,
    b"Email;Name\n=cmd|' /C calc'!A0;x\n\x00",
    b"a=b&a=c&%zz=%ff",
    b"a=" + b"b" * 600_000,
    b"&".join(b"a%d=b" % number for number in range(1_100)),
    b'--x\r\nContent-Disposition: form-data; name="deed"\r\n\r\naccept\r\n--x--\r\n',
    b"--x\r\n" * 1_500,
    b'--x\r\nContent-Disposition: form-data; name="a"; filename="b"\r\nContent-Type: text/plain; charset=nope\r\n\r\n',
)

CONTENT_TYPES = (
    "application/json",
    "application/json; charset=utf-16",
    "application/json; charset=no-such-charset",
    "application/cloudevents+json",
    "application/x-www-form-urlencoded",
    "application/x-www-form-urlencoded; charset=utf-7",
    "multipart/form-data; boundary=x",
    "multipart/form-data",
    "multipart/form-data; boundary=" + "x" * 300,
    "text/plain",
    "text/csv",
    "application/pdf",
    "application/xml",
    "image/png",
    "",
    "nonsense",
    'a/b; c="',
    "text/plain; charset*=utf-8''%00",
)

HEADER_NAMES = (
    "traceparent",
    "Cookie",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-HTTP-Method-Override",
    "Accept",
    "Accept-Language",
    "Range",
    "If-None-Match",
    "Content-Encoding",
    "Content-Type",
    "Expect",
    "X-CloudTasks-TaskName",
    "X-CloudTasks-QueueName",
    "X-CloudTasks-TaskRetryCount",
    "X-CloudTasks-TaskExecutionCount",
    "X-CloudScheduler-JobName",
    "X-CloudScheduler-ScheduleTime",
    "X-Goog-Channel-ID",
    "X-Goog-Channel-Token",
    "X-Goog-Resource-ID",
    "X-Goog-Message-Number",
    "X-DocuSign-Signature-1",
    "intuit-signature",
)
HEADER_VALUES = (
    "",
    " ",
    "a" * 60_000,
    "gzip",
    "*/*",
    "\xff\xfe",
    "Bearer",
    "; = ,",
    "0",
    "-1",
    "9" * 5_000,
    "a=b; a=c",
)


@dataclass(frozen=True)
class Sent:
    """One request, its proof left out. path: None for where the function is expected to be called."""

    method: str
    path: str | None = None
    arguments: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    person: str = "u-ada"

    @property
    def query(self) -> str:
        return urlencode(self.arguments, errors="replace")


def texts(known: tuple[str, ...] = ()) -> SearchStrategy[str]:
    """What is known, what often goes wrong, and anything else."""
    return st.sampled_from([*known, *NASTY_TEXTS]) | st.text(max_size=30)


def values(known: tuple[str, ...]) -> SearchStrategy[Any]:
    """Any JSON value; texts among it are often known ones."""
    scalars = (
        texts(known) | st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from([0, 1, 2**63, -1])
    )
    rows = st.lists(st.dictionaries(texts(known), scalars, max_size=4), max_size=3)
    return scalars | rows | st.lists(scalars | st.lists(scalars, max_size=2), max_size=3)


def requests(function: str, ids: Mapping[str, tuple[str, ...]]) -> SearchStrategy[Sent]:
    """Requests to `function`. ids: what there is, by collection; an argument often names one of its own kind."""
    names = dictionary.names(function)
    words = (*names, *dictionary.choices())
    everything = tuple(sorted({id_ for kept in ids.values() for id_ in kept}))
    any_text, any_value = texts((*words, *everything)), values(words)
    arguments = st.lists(st.tuples(texts(names), any_text), max_size=2)
    fields = st.dictionaries(texts(words), any_value, max_size=3)
    headers = st.lists(st.tuples(st.sampled_from(HEADER_NAMES), st.sampled_from(HEADER_VALUES)), max_size=3)
    segments = st.lists(texts(everything), max_size=5)
    chosen = st.lists(st.sampled_from(names or ("a",)), max_size=8, unique=True)
    near = {name: _near(name, ids, words) | any_text for name in names or ("a",)}
    nasty, binary, one_in_eight = st.sampled_from(NASTY_BODIES), st.binary(max_size=200), st.integers(0, 7)
    methods, people = st.sampled_from(["GET", "POST", "POST", "PUT", *METHODS]), st.sampled_from(PEOPLE)
    content_types = st.sampled_from(CONTENT_TYPES)

    @st.composite
    def one(draw: DrawFn) -> Sent:
        asked = [(name, draw(near[name])) for name in draw(chosen)]
        form: dict[str, Any] = {name: draw(any_value) if draw(one_in_eight) == 0 else text for name, text in asked}
        match draw(one_in_eight):
            case 0:
                body = draw(nasty)
            case 1:
                body = draw(binary)
            case 2:
                body = urlencode(form, errors="replace").encode()
            case 3:
                body = json.dumps(form | draw(fields)).encode()
            case _:
                body = json.dumps(form).encode()
        twice = asked[:1] if draw(one_in_eight) == 0 else []
        further = draw(arguments) if draw(one_in_eight) < 2 else []
        others = dict(draw(headers)) if draw(one_in_eight) < 2 else {}
        content_type = draw(content_types) if draw(one_in_eight) == 0 else "application/json"
        path = "/" + "/".join(draw(segments)) if draw(one_in_eight) == 0 else None
        return Sent(
            method=draw(methods),
            path=path,
            arguments=(*asked, *twice, *further),
            headers={"Content-Type": content_type, **others},
            body=body,
            person=draw(people),
        )

    return one()


def _near(name: str, ids: Mapping[str, tuple[str, ...]], words: tuple[str, ...]) -> SearchStrategy[str]:
    """What an argument of this name may really be: an id of the collection called like it, or a word."""
    fitting = tuple(id_ for collection, kept in ids.items() for id_ in kept if collection.startswith(name[:8]))
    return st.sampled_from(fitting or words)
