"""The last block of a run: what was missed, and how to go on from here."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from local.run.importing import span
from local.run.options import Options
from local.run.starting import Cloud


def closing_block(cloud: Cloud, options: Options, missed: Sequence[str], took_s: float) -> RenderableType:
    """missed: steps that were not seen to happen."""
    parts: list[RenderableType] = [Text(), _verdict(missed, took_s, cloud.memory_mib)]
    if not options.once:
        parts += [Text(), _where(cloud, options)]
    return Group(*parts)


def _verdict(missed: Sequence[str], took_s: float, memory_mib: float) -> Text:
    figures = f"  {span(took_s)} in all, {memory_mib:.0f} MB now"
    if not missed:
        return Text("Every step was seen to happen.", style="bold green").append(figures, style="dim not bold")
    text = Text("Not seen:", style="bold red").append(figures, style="dim not bold")
    for one in missed:
        text.append(f"\n   {one}", style="red not bold")
    return text


def _where(cloud: Cloud, options: Options) -> Table:
    data = _short(cloud.supervisor.data)
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, style="bold")
    table.add_column(overflow="fold")
    rows = (
        ("functions", f"{cloud.functions_url}/<name>, for who signs in"),
        ("sign in", f"{cloud.identity_url}/signin"),
        ("Google", f"{cloud.google_url}/ (see local/google/README.md)"),
        ("DocuSign", f"{cloud.docusign_url}/ shows envelopes, mails with their links, and every notice"),
        ("QuickBooks", f"{cloud.quickbooks_url}/ shows invoices, payments and notices"),
        ("NetSuite", f"{cloud.netsuite_url}/ shows invoices, payments and calls"),
        ("scheduler", f"curl -X POST 'http://127.0.0.1:{cloud.supervisor.ports.scheduler}/run?job=mailbox_poll'"),
        ("logs", f"{data}/logs/functions.log, one file per part"),
        ("data", f"rows in the Firestore emulator's memory, bodies in {data}/blobs; every start begins empty"),
        ("stop", "Ctrl-C"),
        ("reset", f"rm -rf {data} (also forgets the keys)"),
    )
    for name, text in rows:
        table.add_row(name, text)
    if not options.own_input:
        table.add_row("your mail", "make run MBOX=mail.mbox ICS=calendar.ics CONTACTS=contacts.csv ME=you@example.com")
    return table


def _short(path: Path) -> str:
    """As somebody in this folder would type it."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative
