"""A contact's timeline on a narrow terminal: what comes first, then conversations with their messages folded."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from typing import Any

from rich.console import Console

from local.run.screen import Screen
from local.run.timeline_page import ENTRIES_SHOWN, timeline_page
from shared.domain.people import Contact

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
AINO = Contact("c-aino", "Aino", "Virtanen", emails=("aino@library.example",), title="Head of spaces")


def _message(sender: str, days_ago: int, text: str, **more: Any) -> dict[str, Any]:
    return {
        "subject": "Re: Quiet rooms",
        "sender": f"{sender.lower()}@birchline.example",
        "sender_name": sender,
        "sent_at": (NOW - timedelta(days=days_ago)).isoformat(),
        "direction": "outgoing" if sender == "Nora" else "incoming",
        "snippet": text,
        "attachments": 0,
        **more,
    }


def _mail(*messages: dict[str, Any], count: int | None = None) -> dict[str, Any]:
    return {
        "kind": "mail",
        "at": messages[0]["sent_at"],
        "count": count or len(messages),
        "messages": list(messages),
        "meeting": None,
    }


def _meeting(title: str, in_days: int, **more: Any) -> dict[str, Any]:
    start = NOW + timedelta(days=in_days)
    meeting = {
        "title": title,
        "start_at": start.isoformat(),
        "end_at": (start + timedelta(hours=1)).isoformat(),
        "all_day": None,
        "answer": "yes",
        "guests": 3,
        "repeats": False,
        "location": "Helsinki",
        "meet_url": "",
        **more,
    }
    return {"kind": "meeting", "at": start.isoformat(), "count": 1, "messages": [], "meeting": meeting}


def _shown(*entries: dict[str, Any], width: int = 80) -> list[str]:
    out = io.StringIO()
    Screen(Console(file=out, width=width, force_terminal=False)).show(
        timeline_page(AINO, "City Library", iter(entries), NOW)
    )
    return [line.strip() for line in out.getvalue().splitlines()]


def test_the_contact_is_named_with_their_company_and_address() -> None:
    lines = _shown(_mail(_message("Aino", 2, "Hello")))

    assert lines[:2] == ["Aino Virtanen  Head of spaces, City Library", "aino@library.example"]


def test_a_conversation_is_one_entry_with_its_newest_messages_and_the_rest_folded() -> None:
    messages = [_message("Nora", 2, "Yes."), _message("Aino", 3, "Is it so?"), _message("Nora", 9, "Here it is.")]

    lines = _shown(_mail(*messages, count=6))

    assert any(line.endswith("Quiet rooms  6 messages") for line in lines)
    assert any(line.startswith("→ Nora") and line.endswith("Yes.") for line in lines)
    assert any(line.startswith("← Aino 7 Mar") and line.endswith("Is it so?") for line in lines)
    assert "… 4 earlier, since 1 Mar" in lines
    assert not any("Here it is." in line for line in lines)


def test_meetings_that_come_stand_before_what_was_the_nearest_first() -> None:
    entries = [_meeting("Later", 40), _meeting("Soon", 2), _mail(_message("Aino", 1, "Hi")), _meeting("Past", -5)]

    lines = _shown(*entries)

    order = [next(i for i, line in enumerate(lines) if word in line) for word in ("Soon", "Later", "so far", "Past")]
    assert order == sorted(order)
    assert "accepted, 3 guests, Helsinki" in lines[order[0]]


def test_a_weekly_series_does_not_push_everything_else_away() -> None:
    series = [_meeting("Weekly", 7 * week) for week in range(12, 0, -1)]

    lines = _shown(*series, _mail(_message("Aino", 1, "Hi")))

    assert sum("Weekly" in line for line in lines) == 3
    assert "coming up  and 9 later" in lines


def test_a_long_past_is_cut_and_says_so() -> None:
    entries = [_mail(_message("Aino", days, f"Mail {days}")) for days in range(1, 30)]

    lines = _shown(*entries)

    assert "so far  and earlier ones" in lines
    assert sum(line.startswith("←") for line in lines) == ENTRIES_SHOWN


def test_what_is_not_shared_is_not_invented() -> None:
    lines = _shown(_mail(_message("Tomás", 1, "", subject="")))

    assert any("(subject not shared)" in line for line in lines)


def test_what_happened_to_a_contract_or_an_invoice_is_its_sentence() -> None:
    happened = {
        "kind": "invoice",
        "at": (NOW - timedelta(days=1)).isoformat(),
        "count": 1,
        "messages": [],
        "meeting": None,
        "happening": {"what": "invoice.sent", "sentence": "Invoice INV-000001 was sent.", "plain": ""},
    }

    lines = _shown(happened)

    assert any(line.endswith("• Invoice INV-000001 was sent.") for line in lines)
    assert not any("not shared" in line for line in lines)


def test_no_line_is_wider_than_the_terminal() -> None:
    lines = _shown(_mail(_message("Aino", 1, "word " * 60)), _meeting("title " * 30, 3), width=60)

    assert max(len(line) for line in lines) <= 60
