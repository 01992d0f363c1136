"""What a run shows in tables: everybody, receipts, explanations, quarantine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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

Receipt = Mapping[str, Any]

_RULES = {
    "system_label": "draft, spam, trash, chat",
    "erased": "erased person",
    "personal_never_log": "own never-log list",
    "organization_never_log": "company's never-log list",
    "internal_only": "internal only",
    "bulk": "newsletter or machine",
    "sender_unknown": "sender unknown",
    "no_access": "no access to the contact",
    "no_match": "nobody known",
    "no_known_address_by_search": "nobody known, by search",
}


def contacts_table(cast: Cast, contacts: Sequence[StoredContact], now: datetime) -> Padding:
    """Everybody with something on their timeline, the liveliest first."""
    table = _table("contact", "company", "mails", "last", "next meeting")
    table.columns[2].justify = "right"
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
    return _indented(table)


def receipts_table(receipts: Mapping[str, Receipt]) -> Padding:
    """What became of every message Gmail listed, per mailbox. receipts: by the mailbox's name."""
    table = _table("", *receipts)
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
    return _indented(table)


def explanations_table(asked: Sequence[tuple[str, str, str]]) -> Padding:
    """asked: what a person would call the mail, whose mailbox, and the answer."""
    table = _table("why is this mail not here?", "answer")
    table.columns[0].ratio, table.columns[1].ratio = 2, 3
    table.expand = True
    for mail, mailbox, sentence in asked:
        table.add_row(Text(mail).append(f"\n{mailbox}", style="dim"), sentence)
    return _indented(table)


def quarantine_table(parked: Sequence[Parked]) -> Padding:
    table = _table("in quarantine", "reason")
    table.expand = True
    table.columns[0].ratio, table.columns[1].ratio = 2, 3
    for one in parked[:PARKED_SHOWN]:
        what = one.ids.get("gmail_id") or one.key
        table.add_row(Text(one.kind).append(f" {what}", style="dim"), one.reason)
    if len(parked) > PARKED_SHOWN:
        table.caption = f"and {len(parked) - PARKED_SHOWN} more"
    return _indented(table)


def _table(*titles: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="dim", caption_style="dim", caption_justify="left")
    for title in titles:
        table.add_column(title, overflow="fold")
    return table


def _indented(table: Table) -> Padding:
    return Padding(table, (0, 0, 0, 3))
