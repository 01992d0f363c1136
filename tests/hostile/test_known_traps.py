"""What once came through as our failure, or was kept in memory whole: one request each."""

from __future__ import annotations

import base64
import json
import struct
import zlib
from typing import Any

import pytest

from shared.answers import position_of
from shared.domain.ids import is_id
from shared.domain.json_text import DEEPEST, read_json
from shared.errors import InputError, PayloadError
from shared.platform.paper.images import is_image
from shared.providers.docusign.mapping import moment
from shared.providers.quickbooks.webhook import parse_delivery
from tests.fakes import START
from tests.functions.ledger_doors import cloud_event
from tests.hostile.cloud import Cloud
from tests.hostile.sent import DEPTH, Sent
from tests.hostile.test_endpoints import send


def ask(cloud: Cloud, function: str, body: bytes = b"", *, person: str = "u-ada", **arguments: str) -> int:
    method = "POST" if body else "GET"
    sent = Sent(method, None, tuple(arguments.items()), {"Content-Type": "application/json"}, body)
    path, proof = cloud.proof(function, body, person)
    status = send(function, sent, proof, path).status_code
    cloud.documents.restore()
    return int(status)


@pytest.mark.parametrize("body", [b"[" * DEPTH, b'{"a":' * DEPTH + b"1" + b"}" * DEPTH, b"[" * 900 + b"]" * 900])
@pytest.mark.parametrize("function", ["chain_read", "quote_write", "invoice_control", "oauth_callback"])
def test_json_of_any_depth_is_refused(cloud: Cloud, function: str, body: bytes) -> None:
    assert ask(cloud, function, body) == 400


@pytest.mark.parametrize("function", ["quickbooks_webhook", "docusign_webhook"])
def test_a_proven_notice_of_any_depth_is_parked(cloud: Cloud, function: str) -> None:
    assert ask(cloud, function, b"[" * DEPTH) == 202


def test_a_token_of_any_depth_is_no_proof(cloud: Cloud) -> None:
    head = base64.urlsafe_b64encode(b"[" * 3_000).decode()
    headers = {"Authorization": f"Bearer {head}.e30.e30"}
    for function in ("chain_read", "mailbox_sync", "gmail_push", "mailbox_poll"):
        assert send(function, Sent("POST"), headers).status_code == 401


@pytest.mark.parametrize("body", [b"[]", b"[[1]]", b'"text"', b"7", b"null", b"true"])
@pytest.mark.parametrize("function", ["invoice_control", "invoice_create", "ledger_connect", "ledger_mapping"])
def test_json_that_is_no_object_is_refused(cloud: Cloud, function: str, body: bytes) -> None:
    assert ask(cloud, function, body, person="u-fiona", connection="n-ledger", action="save") == 400


@pytest.mark.parametrize("name", [".", "..", "__all__", "a/b", "a\x00b", "x" * 1_501, "\u202e", "é" * 101])
def test_what_can_be_no_id_names_nothing(cloud: Cloud, name: str) -> None:
    assert not is_id(name)
    assert ask(cloud, "chain_read", deal=name) == 400
    assert ask(cloud, "message_read", message=name) == 400
    assert ask(cloud, "invoice_create", person="u-fiona", contact=name, key="k") == 400


@pytest.mark.parametrize("path", ["/../q-1/t", "/__acme__/q-1/t", "/acme/__q__/t", "/acme/../t", "/a\x00/b/c"])
def test_a_link_made_up_leads_nowhere(cloud: Cloud, path: str) -> None:
    assert send("quote_page", Sent("GET"), {}, path).status_code == 404
    assert send("docusign_webhook", Sent("POST"), {}, path.rpartition("/")[0]).status_code == 401


def test_half_a_character_is_no_text(cloud: Cloud) -> None:
    body = {"role": "manager", "granted": True, "note": "\ud800"}
    assert ask(cloud, "finance_grant", json.dumps(body).encode()) == 400


def test_a_number_too_long_to_be_one_is_refused(cloud: Cloud) -> None:
    [mailbox] = [path.split("/")[3] for path in cloud.documents.paths() if path.endswith("/streams/mail-watch")][:1]
    assert ask(cloud, "backfill_estimate", mailbox=mailbox, months="1" * 5_000) == 400


@pytest.mark.parametrize("text", ["[" * 10_000, '["\\ud800", "x"]', "7", '["2026-03-02T09:00:00Z", ".."]', '["x"]'])
def test_a_cursor_made_up_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        position_of(base64.urlsafe_b64encode(text.encode()).decode())


def test_json_within_bounds_is_read_as_it_is() -> None:
    deep: Any = "bottom"
    for _ in range(DEEPEST):
        deep = [deep]
    wide = {"a": [{"b": "\U0001f4a9 é \\ud83d"} for _ in range(1_000)]}
    for value in (deep, wide, 1.5, None, "[" * 1_000):
        assert read_json(json.dumps(value)) == value
        assert read_json(json.dumps(value, ensure_ascii=False).encode("utf-16")) == value
    with pytest.raises(ValueError, match="deep"):
        read_json(json.dumps([deep]))


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_time_before_or_after_all_time_is_no_time(cloud: Cloud, time: str) -> None:
    with pytest.raises(PayloadError):
        moment(time)
    with pytest.raises(PayloadError):
        parse_delivery(json.dumps([{**cloud_event("invoice", "1"), "time": time}]).encode())
    proof = {"Authorization": f"Bearer {cloud.service_token('mailbox_poll')}"}
    run = {"X-CloudScheduler-JobName": "mailbox-poll", "X-CloudScheduler-ScheduleTime": time}
    assert send("mailbox_poll", Sent("POST"), {**proof, **run}).status_code == 204
    cloud.documents.restore()
    assert START.year == 2026


@pytest.mark.parametrize("side", [5_001, 20_000, 2**31 - 1])
def test_a_small_picture_that_unfolds_to_a_large_one_is_no_logo(side: int) -> None:
    assert not is_image(png(side, side))


def test_what_merely_begins_like_a_picture_is_no_logo() -> None:
    whole = png(4, 4)
    assert is_image(whole)
    for content in (whole[:40], whole[:45], b"\xff\xd8\xff" + b"\x00" * 100, b"II*\x00" + b"\xff" * 100, b"GIF89a"):
        assert not is_image(content)


def png(width: int, height: int) -> bytes:
    """All of its pixels black, packed; of a large one only the first rows are there."""
    rows = (b"\x00" + b"\x00" * width * 3) * height if width < 100 else b"\x00" * 10_000
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", zlib.compress(rows)) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
