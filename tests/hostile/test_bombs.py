"""Small things that unfold to large ones: mail, HTML and calendars of strangers cost what we allow, or are parked."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.domain.calendar.event import Times
from shared.domain.calendar.meeting import Series
from shared.domain.ledger import State
from shared.errors import PayloadError
from shared.platform.firestore.values import DOCUMENT_LIMIT_BYTES, document_size
from shared.platform.recurrence import OCCURRENCES_AT_MOST, DateutilRecurrence
from shared.providers.google.mime import ATTACHMENTS_AT_MOST, TEXT_AT_MOST, body_from_gmail, headers_from_gmail
from tests.mail_world import ANNA, CARL, MailWorld, mail_world

Part = dict[str, Any]
MB = 1 << 20


def part(content: bytes = b"", kind: str = "text/plain", *, parts: Sequence[Part] = (), **headers: str) -> Part:
    fields = [{"name": name.replace("_", "-"), "value": value} for name, value in headers.items()]
    data = base64.urlsafe_b64encode(content).decode()
    return {"mimeType": kind, "headers": fields, "body": {"data": data, "size": len(content)}, "parts": list(parts)}


def message(payload: Part) -> Part:
    return {"id": "g1", "threadId": "t1", "internalDate": "1772442000000", "payload": payload}


def nested(depth: int, kind: str) -> Part:
    inner = part(b"bottom")
    for _ in range(depth):
        inner = part(kind=kind, parts=[inner])
    return inner


CONTINUED = ";".join(f" charset*{number}*=utf-8'en'%41" for number in range(20_000))
WORDS = "=?utf-8?Q?=41?= " * 60_000
HTML_PIECES = {
    "deep": "<div>" * 100_000,
    "deep and open": "<b><i><u>" * 50_000,
    "tables": "<table><tr><td>" * 20_000,
    "entities": "&amp" * 300_000,
    "no entities": "&" * MB,
    "references": "&#x1F4A9;" * 200_000,
    "attributes": "<p " + " ".join(f"a{number}=b" for number in range(50_000)) + ">",
    "one attribute": f'<p title="{"a" * 3 * MB}">',
    "a style": f'<p style="{"color:red;" * 200_000}">',
    "urls in a style": f'<p style="{"background:url(//x.example/);" * 50_000}">',
    "comments": "<!--" * 200_000,
    "open tags": "<" * MB,
    "end tags": "</div>" * 200_000,
    "mixed namespaces": "<svg><math><mtext><table><mglyph><style>" * 20_000,
    "select": "<select><option>" * 50_000,
    "data urls": f'<img src="data:image/png;base64,{"A" * 4 * MB}">',
    "zeros": "\x00" * MB,
}
BODIES: dict[str, Part] = {
    "ten thousand parts": part(kind="multipart/mixed", parts=[part(b"x")] * 10_000),
    "ten thousand files": part(kind="multipart/mixed", parts=[part(b"x", "application/pdf")] * 10_000),
    "nested a thousand times": nested(1_000, "multipart/mixed"),
    "alternatives nested a thousand times": nested(1_000, "multipart/alternative"),
    "a charset in 20,000 pieces": part(b"x", Content_Type=f"text/plain;{CONTINUED}"),
    "a charset of 10 MB": part(b"x", Content_Type=f"text/plain; charset={'a' * 10 * MB}"),
    "a charset that is a codec": part(b"x" * 1_000, Content_Type="text/plain; charset=zlib_codec"),
    "utf-7 without an end": part(b"+" * MB, Content_Type="text/plain; charset=utf-7"),
    "a name of 10 MB": {**part(b"x", "application/pdf"), "filename": "a" * 10 * MB},
    "a name of many words": {**part(b"x", "application/pdf"), "filename": WORDS},
    "20 MB of text": part(b"a" * 20 * MB),
    "20 MB of line ends": part(b"\r" * 20 * MB),
    **{f"html: {name}": part(html.encode(), "text/html") for name, html in HTML_PIECES.items()},
}


@pytest.mark.parametrize("name", BODIES)
def test_a_body_is_read_within_bounds(name: str) -> None:
    body = body_from_gmail(message(BODIES[name]))
    assert len(body.text.encode()) <= TEXT_AT_MOST
    assert len((body.html or "").encode()) <= 2 * TEXT_AT_MOST
    assert len(body.attachments) <= ATTACHMENTS_AT_MOST
    assert all(len(attachment.filename) <= 200 for attachment in body.attachments)


@pytest.mark.parametrize("data", ["%%%", "A", "éé", "A-_/+==A", "\x00" * 10])
def test_what_is_not_base64_is_parked(data: str) -> None:
    broken = {**part(), "body": {"data": data}}
    with pytest.raises(PayloadError) as refused:
        body_from_gmail(message(broken))
    assert data not in str(refused.value)


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("Subject", "a" * 10 * MB),
        ("Subject", WORDS),
        ("Subject", "=?utf-8?B?" + "QUFB" * MB + "?="),
        ("Subject", "=?" * MB),
        ("From", '"' * MB),
        ("From", "(" * MB),
        ("From", "<" * MB),
        ("From", f"{'a' * MB}@customer.example"),
        ("To", "a@b.example," * 50_000),
        ("To", "group:" * 100_000),
        ("References", "<a@b.example> " * 100_000),
        ("References", "<" * MB),
        ("Message-ID", "<" + "a" * MB + "@b.example>"),
        ("Date", "Mon, " * 100_000),
        ("Date", "9" * 10_000),
        ("Date", "Mon, 1 Jan 99999999999 00:00:00 +9999"),
        ("Received", "a" * 10 * MB),
    ],
)
def test_headers_are_read_within_bounds(header: str, value: str) -> None:
    read = headers_from_gmail(message({**part(), "headers": [{"name": header, "value": value}]}))
    assert len(read.subject) <= 1_000
    assert len(read.references) <= 1_000
    assert len(read.message_id or "") <= 2_000
    assert read.from_ is None or len(read.from_.email) <= 320


@pytest.mark.parametrize(
    "fields",
    [
        {"to": [ANNA, *(f"{'n' * 60}{number}@{'long' * 10}.example" for number in range(2_000))]},
        {"subject": "s" * 20_000},
        {"references": [f"<{number}{'r' * 200}@customer.example>" for number in range(2_000)]},
    ],
    ids=["2000 recipients", "a subject of 20 kB", "2000 references"],
)
def test_a_message_beyond_all_measure_is_logged_or_parked_and_stops_nobody(fields: dict[str, Any]) -> None:
    world = mail_world()
    world.arrives(**fields)
    world.arrives(subject="after it")
    world.poll()
    world.drain(redeliver=True)
    assert "after it" in world.subjects(CARL_ID)
    assert states(world) <= {State.LOGGED, State.QUARANTINED}
    assert largest(world) <= DOCUMENT_LIMIT_BYTES


CARL_ID = f"c-{CARL.partition('@')[0]}"


def states(world: MailWorld) -> set[State]:
    return {State(row.fields["state"]) for row in world.rows()}


def largest(world: MailWorld) -> int:
    return max(document_size(path, fields) for path, fields in world.memory.dump().items())


# ---------------------------------------------------------------------------------------------------------- calendars

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
EVERY_SECOND = ",".join(map(str, range(60)))
DAYS = ",".join((START + timedelta(days=number)).strftime("%Y%m%dT%H%M%SZ") for number in range(50_000))


@pytest.mark.parametrize(
    "lines",
    [
        ("RRULE:FREQ=SECONDLY",),
        ("RRULE:FREQ=DAILY;FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30",),
        ("RRULE:FREQ=MINUTELY;COUNT=1000000000",),
        ("RRULE:FREQ=HOURLY;COUNT=1000000000",),
        ("RRULE:FREQ=DAILY;COUNT=1000000000",),
        (f"RRULE:FREQ=DAILY;BYMINUTE={EVERY_SECOND};BYSECOND={EVERY_SECOND}",),
        ("RRULE:FREQ=HOURLY", "EXRULE:FREQ=HOURLY"),
        ("RRULE:FREQ=DAILY", "EXRULE:FREQ=DAILY", "EXRULE:FREQ=DAILY"),
        ("RRULE:FREQ=DAILY", f"EXDATE:{DAYS}"),
        (f"RDATE:{DAYS}",),
        ("RRULE:FREQ=DAILY;BYEASTER=400",),
        ("RRULE:FREQ=DAILY;INTERVAL=0",),
        ("RRULE:FREQ=DAILY;INTERVAL=99999999999999999999",),
        ("RRULE:FREQ=DAILY;UNTIL=99999999T999999Z",),
        ("RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",),
        ("RRULE:FREQ=YEARLY;BYSETPOS=366;BYDAY=MO",),
        ("RRULE:" + "FREQ=DAILY;" * 100_000,),
        tuple(f"RRULE:FREQ=DAILY;INTERVAL={number}" for number in range(1, 1_000)),
        ("RRULE" * 100_000,),
        ("RRULE:FREQ=\u017fECONDLY",),
    ],
    ids=range(20),
)
def test_a_series_is_expanded_within_bounds_or_parked(lines: tuple[str, ...]) -> None:
    series = Series(lines, Times(START, START + timedelta(hours=1), "Europe/Berlin"))
    try:
        expansion = DateutilRecurrence().expand(series, START, START + timedelta(days=180))
    except PayloadError:
        return
    assert len(expansion.occurrences) <= OCCURRENCES_AT_MOST


def test_a_series_from_long_ago_is_expanded_within_bounds_or_parked() -> None:
    first = datetime(1, 1, 2, tzinfo=UTC)
    series = Series(("RRULE:FREQ=HOURLY",), Times(first, first + timedelta(hours=1), "UTC"))
    with pytest.raises(PayloadError, match="steps"):
        DateutilRecurrence().expand(series, START, START + timedelta(days=180))
