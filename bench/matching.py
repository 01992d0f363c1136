"""Logging a message among few and among many contacts: its reads must not grow, nor its time."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from statistics import median

from google.cloud import firestore

from bench.cloud import save_contacts
from bench.operations import Bill, bill_of, expect
from bench.report import Aim, Figure, Report
from local.cloud.ports import HOST
from local.cloud.requirements_check import find_tools
from shared.domain.ledger import State
from shared.platform.clock import SystemJitter
from shared.platform.firestore.documents import FirestoreDocuments
from shared.usecases.mail.open_mailbox import pin_cursor
from shared.usecases.mail.sync_mailbox import sync_mailbox
from tests.emulators import free_port, running
from tests.mail_world import ANNA, CARL, KEY, MailWorld, mail_world, settle

FEW, MANY, QUICK_MANY = 1_000, 100_000, 3_000
MESSAGES = 15
HEAP = "-Xmx4g"
"""The emulator keeps everything in memory: 100,000 contacts take over a gigabyte."""


def run(quick: bool) -> Report:
    """Reads counted in memory, where they are exact; times on the Firestore emulator."""
    many = QUICK_MANY if quick else MANY
    few_bill, many_bill = counted_among(FEW), counted_among(many)
    with _emulated_world() as world:
        save_contacts(world.store, _emails(0, FEW), KEY)
        few_ms = _timed(world)
        save_contacts(world.store, _emails(FEW, many), KEY)
        many_ms = _timed(world)
    return Report(
        "matching",
        (
            Figure(f"reads per message among {FEW:,} contacts", few_bill.message.reads, "reads"),
            Figure(
                f"reads per message among {many:,} contacts",
                many_bill.message.reads,
                "reads",
                Aim(few_bill.message.reads),
            ),
            Figure(f"time per message among {FEW:,} contacts", few_ms, "ms", None, "Firestore emulator"),
            Figure(f"time per message among {many:,} contacts", many_ms, "ms", None, "Firestore emulator"),
        ),
        (f"Times: median of {MESSAGES} messages, from queued row to settled row, Gmail in memory.",),
    )


def counted_among(contacts: int) -> Bill:
    """What one message costs among so many contacts, counted in memory."""
    world = mail_world()
    save_contacts(world.store, _emails(0, contacts), KEY)
    world.arrives(subject="Offer")
    bill = bill_of(world, ANNA)
    expect(world, ANNA, State.LOGGED)
    return bill


def _emails(first: int, last: int) -> list[str]:
    return [f"person{number}@company{number % 997}.example" for number in range(first, last)]


def _timed(world: MailWorld) -> float:
    """Median milliseconds to log one message."""
    taken_ms = []
    for number in range(MESSAGES + 1):
        world.time.advance(60)
        world.arrives(sender=CARL, subject=f"Offer {number}")
        sync_mailbox(world.served(ANNA), wish=None)
        began = time.perf_counter()
        world.drain()
        taken_ms.append((time.perf_counter() - began) * 1000)
    expect(world, ANNA, State.LOGGED)
    return median(taken_ms[1:])  # the first one warms the connection


@contextmanager
def _emulated_world() -> Iterator[MailWorld]:
    """The company of the tests, its documents in a Firestore emulator of its own."""
    tools, port = find_tools(), free_port()
    flags = ["-Duser.language=en", "-XX:+UseSerialGC", HEAP, "-cp", str(tools.firestore_jar)]
    main = "com.google.cloud.datastore.emulator.firestore.CloudFirestore"
    with running([str(tools.java), *flags, main, f"--host={HOST}", f"--port={port}"], f"{HOST}:{port}"):
        before = os.environ.get("FIRESTORE_EMULATOR_HOST")
        os.environ["FIRESTORE_EMULATOR_HOST"] = f"{HOST}:{port}"
        try:
            client = firestore.Client(project="bench")
            world = replace(mail_world(connected=False), documents=FirestoreDocuments(client, SystemJitter()))
            settle(world, (CARL,), mailboxes=True)
            pin_cursor(world.served(ANNA))
            yield world
        finally:
            os.environ.pop("FIRESTORE_EMULATOR_HOST")
            os.environ.update({"FIRESTORE_EMULATOR_HOST": before} if before else {})
