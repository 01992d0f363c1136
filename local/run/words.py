"""Times, counts and texts as a person reads them on a narrow terminal."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from rich.text import Text

_REPLY = re.compile(r"^\s*((re|aw|sv|vs|fwd?|wg|tr|rv|res|enc)\s*(\[\d+\])?\s*[:：]\s*)+", re.IGNORECASE)


def day(moment: datetime, now: datetime) -> str:
    """ "Today", "Tomorrow", "Yesterday", else "22 Nov", with the year where it is another."""
    local, today = moment.astimezone(), now.astimezone().date()
    distance = (local.date() - today).days
    if -1 <= distance <= 1:
        return ("Yesterday", "Today", "Tomorrow")[distance + 1]
    year = "" if local.year == today.year else f" {local:%y}"
    return f"{local.day} {local:%b}{year}"


def clock(moment: datetime) -> str:
    return f"{moment.astimezone():%H:%M}"


def meeting_time(start_at: datetime, end_at: datetime, all_day: list[str] | None) -> str:
    """ "10:00-11:30", "all day", "3 days"."""
    if all_day is None:
        return f"{clock(start_at)}-{clock(end_at)}"
    days = (datetime.fromisoformat(all_day[1]) - datetime.fromisoformat(all_day[0])).days
    return "all day" if days == 1 else f"{days} days"


def count(number: int, noun: str) -> str:
    """ "1 mail", "2 mails"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def conversation(subject: str) -> str:
    """The subject without the marks of replies and forwards."""
    return _REPLY.sub("", subject).strip() or "(no subject)"


def one_line(*pieces: str | Text) -> Text:
    """A line that ends in an ellipsis where the terminal ends."""
    line = Text(no_wrap=True, overflow="ellipsis")
    for piece in pieces:
        line.append(piece if isinstance(piece, Text) else " ".join(piece.split()) if "\n" in piece else piece)
    return line


def ago(moment: datetime, now: datetime) -> str:
    """How long since, or until: "3 days ago", "in 2 h"."""
    distance = abs(now - moment)
    if distance < timedelta(minutes=1):
        return "just now"
    for unit, name in ((timedelta(days=1), "day"), (timedelta(hours=1), "hour"), (timedelta(minutes=1), "minute")):
        if distance >= unit:
            text = count(distance // unit, name)
            break
    return f"in {text}" if moment > now else f"{text} ago"
