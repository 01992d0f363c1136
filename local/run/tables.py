"""What a run shows in tables: everybody, receipts, explanations, quarantine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rich import box
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from local.run.cast import Cast
from local.run.words import ago, day
from shared.domain.quarantine import Parked
from shared.records.calendar import Events
from shared.records.people import StoredContact

CONTACTS_SHOWN = 16
PARKED_SHOWN = 20
NAME_WIDTH = 20

Receipt = Mapping[str, Any]

_RULES = {
    "system_label": "draft, spam, trash",
    "erased": "erased person",
    "personal_never_log": "own never-log list",
    "organization_never_log": "company never-log list",
    "internal_only": "internal only",
    "bulk": "newsletter, automatic",
    "sender_unknown": "sender unknown",
    "no_access": "contact not theirs",
    "no_match": "nobody known",
    "no_known_address_by_search": "nobody known (search)",
}


def contacts_table(cast: Cast, contacts: Sequence[StoredContact], now: datetime) -> Padding:
    """Everybody with something on their timeline, the liveliest first."""
    table = plain_table("contact", "company", "mails", "last mail", "next meeting")
    table.columns[2].justify = "right"
    for column in table.columns[:2]:
        column.no_wrap, column.overflow, column.max_width = True, "ellipsis", NAME_WIDTH
    for stored in contacts[:CONTACTS_SHOWN]:
        contact, last = stored.contact, stored.figures.last_interaction_at
        following = Events(cast.rows.store).next_after("contact_ids", contact.contact_id, now)
        table.add_row(
            contact.name,
            cast.company_of(contact),
            str(stored.figures.mails),
            ago(last, now) if last else "never",
            day(following.start_at, now) if following else "",
        )
    if len(contacts) > CONTACTS_SHOWN:
        table.caption = f"and {len(contacts) - CONTACTS_SHOWN} more"
    return indented(table)


def receipts_table(receipts: Mapping[str, Receipt]) -> Padding:
    """What became of every message Gmail listed, per mailbox. receipts: by the mailbox's name."""
    table = plain_table("mailbox of", *receipts)
    for column in table.columns[1:]:
        column.justify = "right"

    def row(title: str, figures: Sequence[int], style: str = "") -> None:
        table.add_row(title, *(str(figure) if figure else "-" for figure in figures), style=style)

    every = list(receipts.values())
    row("listed by Gmail", [one["listed"] for one in every], "bold")
    row("logged", [one["logged"] for one in every])
    for rule, name in _RULES.items():
        if any(rule in one["left_out"] for one in every):
            row(f"left out: {name}", [one["left_out"].get(rule, 0) for one in every])
    row("in quarantine", [one["quarantined"] for one in every])
    row("gone from the mailbox", [one["gone"] for one in every])
    row("on its way", [one["waiting"] for one in every])
    unexplained = [one["unexplained"] for one in every]
    marks = [
        Text("0", style="bold green") if figure == 0 else Text(str(figure), style="bold red") for figure in unexplained
    ]
    table.add_row(Text("unexplained", style="bold"), *marks)
    return indented(table)


@dataclass(frozen=True, slots=True)
class Explained:
    """A mail somebody misses, and the product's answer."""

    subject: str
    sender: str
    mailbox_of: str
    sentence: str


def explanations_table(asked: Sequence[Explained]) -> Padding:
    table = plain_table("why is this mail not here?", "answer")
    table.columns[0].ratio, table.columns[1].ratio = 1, 1
    table.expand = True
    for one in asked:
        mail = Text(one.subject).append(f"\nfrom {one.sender}, in the mailbox of {one.mailbox_of}", style="dim")
        table.add_row(mail, one.sentence)
    return indented(table)


def quarantine_table(parked: Sequence[Parked]) -> Padding:
    table = plain_table("in quarantine", "reason")
    table.expand = True
    table.columns[0].ratio, table.columns[1].ratio = 2, 3
    for one in parked[:PARKED_SHOWN]:
        what = one.ids.get("gmail_id") or one.key
        table.add_row(Text(one.kind).append(f" {what}", style="dim"), one.reason)
    if len(parked) > PARKED_SHOWN:
        table.caption = f"and {len(parked) - PARKED_SHOWN} more"
    return indented(table)


def plain_table(*titles: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="dim", caption_style="dim")
    table.caption_justify = "left"
    for title in titles:
        table.add_column(title, overflow="fold")
    return table


def indented(table: Table) -> Padding:
    return Padding(table, (0, 0, 1, 3))
