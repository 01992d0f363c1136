"""The five steps of a run, in order; what each one proves is said where it is seen."""

from __future__ import annotations

import time
from pathlib import Path

from local.run.connecting import connect_mailboxes, open_company
from local.run.importing import Import
from local.run.material import Material
from local.run.options import Options
from local.run.screen import Screen
from local.run.starting import Cloud


def tell(options: Options, cloud: Cloud, material: Material, data: Path, screen: Screen) -> None:
    """Raises: NotSeenError, RefusedError, MaterialError."""
    began = time.monotonic()
    screen.heading(2, "An organization, its people, and Google")
    cast = open_company(cloud, material, data, screen)
    connect_mailboxes(cloud, cast, screen)
    screen.heading(3, "The past, read while the present goes on")
    Import(screen, cast.members).watch(lambda _: None)
    contact = max(cast.rows.contacts(), key=lambda stored: stored.figures.mails)
    for entry in cast.reader.product.timeline(contact.contact.contact_id):
        screen.line(str(entry)[:300])
