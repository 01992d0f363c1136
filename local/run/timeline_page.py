"""A contact's timeline as a person wants to read it: what comes, then what was, one entry per conversation, meeting or
happening."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from local.run.words import clock, conversation, count, day, meeting_time, one_line
from shared.domain.people import Contact

COMING_SHOWN = 3
ENTRIES_SHOWN = 9
READ_AT_MOST = 200
MESSAGES_SHOWN = 2
"""Of a conversation; the rest is folded into a line."""

Entry = Mapping[str, Any]

_ANSWERS = {"none": "not answered", "yes": "accepted", "maybe": "perhaps", "no": "declined"}


def timeline_page(contact: Contact, company: str, entries: Iterable[Entry], now: datetime) -> RenderableType:
    """entries: as `timeline_read` answers them, newest first, at most READ_AT_MOST."""
    coming: list[Entry] = []
    past: list[Entry] = []
    for entry in entries:
        (coming if _at(entry["at"]) > now else past).append(entry)
        if len(past) > ENTRIES_SHOWN:
            break
    parts: list[RenderableType] = [_head(contact, company)]
    if coming:
        nearest = coming[::-1][:COMING_SHOWN]
        parts += [_section("coming up", len(coming) - len(nearest)), _rows(nearest, now)]
    more = len(past) > ENTRIES_SHOWN
    parts += [_section("so far", None if more else 0), _rows(past[:ENTRIES_SHOWN], now)]
    return Group(*parts)


def _head(contact: Contact, company: str) -> Text:
    about = ", ".join(part for part in (contact.title, company) if part)
    head = one_line("   ", Text(contact.name, style="bold"), f"  {about}" if about else "")
    return head.append(f"\n   {', '.join(contact.emails)}", style="dim")


def _section(title: str, hidden: int | None) -> Text:
    """hidden: how many more there are; None where there are more than were read."""
    more = "" if hidden == 0 else "  and earlier ones" if hidden is None else f"  and {hidden} later"
    return Text(f"   {title}", style="cyan").append(more, style="dim")


def _rows(entries: Iterable[Entry], now: datetime) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0), expand=True)
    table.add_column(width=3)
    table.add_column(width=10, no_wrap=True, style="dim")
    table.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
    for entry in entries:
        table.add_row("", day(_at(entry["at"]), now), Group(*_lines(entry, now)))
    return table


def _lines(entry: Entry, now: datetime) -> list[Text]:
    if entry.get("happening"):
        return [one_line(Text("• ", style="green"), Text(entry["happening"]["sentence"]))]
    return _meeting(entry["meeting"]) if entry["kind"] == "meeting" else _conversation(entry, now)


def _conversation(entry: Entry, now: datetime) -> list[Text]:
    messages = entry["messages"]
    total = entry["count"]
    subject = next((one["subject"] for one in reversed(messages) if one["subject"]), "")
    title = conversation(subject) if subject else "(subject not shared)"
    head = one_line(Text(title, style="bold"))
    if total > 1:
        head.append(f"  {count(total, 'message')}", style="dim")
    lines = [head, *(_message(one, day(_at(entry["at"]), now), now) for one in messages[:MESSAGES_SHOWN])]
    folded = total - min(total, MESSAGES_SHOWN)
    if folded:
        oldest = day(_at(messages[-1]["sent_at"]), now)
        lines.append(Text(f"  … {folded} earlier, since {oldest}", style="dim"))
    return lines


def _message(message: Mapping[str, Any], day_of_entry: str, now: datetime) -> Text:
    outgoing = message["direction"] == "outgoing"
    sent_at = _at(message["sent_at"])
    sent_on = day(sent_at, now)
    line = one_line("→ " if outgoing else "← ", Text(message["sender_name"] or message["sender"], style="italic"))
    line.append(f" {clock(sent_at) if sent_on == day_of_entry else sent_on}  ", style="dim")
    line.append(" ".join((message["snippet"] or "").split()))
    if message["attachments"]:
        line.append(f"  [{count(message['attachments'], 'file')}]", style="dim")
    return line


def _meeting(meeting: Mapping[str, Any]) -> list[Text]:
    start_at, end_at = _at(meeting["start_at"]), _at(meeting["end_at"])
    head = one_line(Text("▪ ", style="magenta"), Text(meeting["title"] or "(meeting)", style="bold"))
    head.append(f"  {meeting_time(start_at, end_at, meeting['all_day'])}")
    details = [
        _ANSWERS.get(meeting["answer"], meeting["answer"]),
        count(meeting["guests"], "guest"),
        "repeats" if meeting["repeats"] else "",
        meeting["location"],
        meeting["meet_url"].removeprefix("https://"),
    ]
    head.append("  " + ", ".join(detail for detail in details if detail), style="dim")
    return [head]


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)
