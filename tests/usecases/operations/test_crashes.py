"""Every command that changes something, stopped at each of its side effects: run again, it comes to the same end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cache
from typing import Any

import pytest

from shared.domain.erasure import ErasureState
from shared.domain.ids import digest
from shared.domain.mailbox import mailbox_id
from shared.domain.matching import Known
from shared.domain.quarantine import Parked
from shared.errors import RetryableError
from shared.platform.recurrence import DateutilRecurrence
from shared.platform.vault import EnvelopeVault
from shared.ports.documents import Create, Delete, Documents, Replace
from shared.records.addresses import Addresses
from shared.usecases.cash.set_up_signing import connect_keys
from shared.usecases.operations.copy_documents import Summing, backup_lines, restore_lines
from shared.usecases.operations.erase_person import Eraser, SignedPapers, erase_person
from shared.usecases.operations.rebuild_addresses import rebuild_addresses
from shared.usecases.operations.replay_parked import replay_parked
from shared.usecases.operations.reseal import new_data_key, reseal, retire_data_keys
from shared.usecases.operations.resync_mailbox import resync_mailbox
from shared.usecases.operations.rewrap_keys import rewrap_keys
from shared.usecases.operations.rotate_connect_keys import add_connect_key, fingerprint, retire_connect_key
from shared.usecases.operations.upgrade_documents import upgrade_documents
from shared.usecases.quarantine import park
from tests.contract_world import CONNECTION, SIGNER, ContractWorld, contract_world
from tests.crash import Flow, try_every_point
from tests.fake_signing import KEYS
from tests.fakes import FakeBlobs, FakeClock, FakeJitter, MemoryDocuments
from tests.mail_world import ANNA, BEN, CARL, DORA, KEY, TENANT, MailWorld, mail_world
from tests.usecases.operations.test_documents import PEOPLE

SIXTEEN_MINUTES_S = 960


def whole(world: Any, *left_out: str) -> dict[str, Mapping[str, Any]]:
    """Everything stored, but for fields that tell when, and blobs by their keys."""
    documents = {
        path: {name: value for name, value in fields.items() if name not in left_out}
        for path, fields in world.documents.dump().items()
    }
    return documents | {"blobs": dict.fromkeys(world.blobs.keys())}


# ------------------------------------------------------------------------------------------------------------- erasing


def correspondence() -> MailWorld:
    world = mail_world(contacts=(CARL, DORA))
    world.arrives(subject="From Carl", text="long " * 20_000, to=[ANNA, BEN])
    world.arrives(sender=DORA, to=[ANNA, CARL], subject="To both", text="Dear Carl Customer " * 5_000)
    world.sync(ANNA)
    world.sync(BEN)
    return world


def erase(world: Any, contact_id: str = "c-carl", papers: SignedPapers | None = None) -> None:
    vault = EnvelopeVault(world.documents, TENANT, world.wrapping_key, world.clock, world.chance)
    eraser = Eraser(world.documents, world.store, world.blobs, vault, DateutilRecurrence(), world.clock, world.jitter)
    outcome = erase_person(eraser, contact_id, papers=papers, actor="operator")
    if outcome.left:
        raise RetryableError("run it again")
    while outcome.erasure.state is not ErasureState.DONE:
        world.clock.advance(SIXTEEN_MINUTES_S)
        outcome = erase_person(eraser, contact_id, papers=papers, actor="operator")


@cache
def _signed() -> ContractWorld:
    world = contract_world()
    world.store.commit([Addresses(world.store, b"k" * 32).adding(Known("sam@globex.example", "contact", SIGNER))])
    world.signed()
    world.drain()
    return world


def signed() -> ContractWorld:
    """Sam signed: the same papers in a store of its own, since bringing a contract that far takes a while."""
    known = _signed()
    documents, blobs = MemoryDocuments(), FakeBlobs(TENANT)
    documents.commit([Replace(path, fields) for path, fields in _dump(known).items()])
    for key, content in known.blobs.contents().items():  # type: ignore[attr-defined]  # the fake
        blobs.put(key, content, "application/pdf")
    clock = FakeClock(known.clock.now())
    return replace(known, documents=documents, blobs=blobs, clock=clock, jitter=FakeJitter())


def _dump(world: ContractWorld) -> dict[str, dict[str, Any]]:
    return world.documents.dump()  # type: ignore[attr-defined, no-any-return]  # the fake


# ---------------------------------------------------------------------------------------------------------------- keys


def sealed() -> MailWorld:
    world = mail_world(mailboxes=False)
    world.connects()
    world.time.advance(SIXTEEN_MINUTES_S)
    return world


def change_data_key(world: MailWorld) -> None:
    """The key, the values, and the old key away once nothing needs it."""
    vault = EnvelopeVault(world.documents, TENANT, world.wrapping_key, world.clock, world.chance)
    new_data_key(world.documents, world.store, vault=vault, clock=world.clock)
    reseal(world.documents, world.store, vault=vault, jitter=world.jitter)
    world.time.advance(SIXTEEN_MINUTES_S)
    retire_data_keys(world.documents, world.store, vault=vault, clock=world.clock)


def opened(world: MailWorld) -> object:
    """What the seals hold, and under which keys: bytes and moments differ from run to run."""
    vault = EnvelopeVault(world.documents, TENANT, world.wrapping_key, world.clock, world.chance)
    secrets = {
        path: [vault.open(path.split("/")[3], name, fields[name]) for name in ("refresh_token", "access_token")]
        for path, fields in world.memory.dump().items()
        if "/secret/" in path
    }
    left = reseal(world.documents, world.store, vault=vault, jitter=world.jitter, dry_run=True).left
    return secrets, left, len([path for path in world.memory.paths() if "/keys/" in path])


def rewrap(world: MailWorld) -> None:
    rewrap_keys(
        world.documents,
        world.wrapping_key,
        lambda tenant, version: digest("data key", tenant, version).encode(),
        clock=world.clock,
        jitter=world.jitter,
    )


def change_connect_key(world: Any) -> None:
    vault = EnvelopeVault(world.documents, TENANT, world.wrapping_key, world.clock, world.chance)
    ports = {"vault": vault, "clock": world.clock, "jitter": world.jitter, "actor": "operator"}
    add_connect_key(world.store, CONNECTION, "new-key", **ports)
    retire_connect_key(world.store, CONNECTION, fingerprint(KEYS[0]), **ports)


def connect_keys_of(world: Any) -> object:
    actions = sorted(fields["action"] for path, fields in world.documents.dump().items() if "/audit/" in path)
    return connect_keys(world.store, CONNECTION, vault=lambda: world.vault), actions


# ------------------------------------------------------------------------------------------------------------- repairs


def with_parked() -> MailWorld:
    world = mail_world()
    for number in range(3):
        payload = {"tenant": TENANT, "mailbox": mailbox_id(ANNA), "wish": None}
        entry = Parked("task", f"k-{number}", "broken", world.clock.now(), {}, "mailbox-sync", "mailbox_sync", payload)
        park(world.store, entry, world.jitter)
    return world


def replay_all(world: MailWorld) -> None:
    replay_parked(world.store, tasks=world.tasks, clock=world.clock, limit=100)


def parked_and_queued(world: MailWorld) -> object:
    return len(world.parked()), len({task.name for task in world.queue.pending("mailbox-sync")})


def resync(world: MailWorld) -> None:
    since = world.clock.now() - timedelta(days=30)
    resync_mailbox(world.store, mailbox_id(ANNA), since=since, tasks=world.tasks, clock=world.clock)


def without_index() -> MailWorld:
    world = mail_world(contacts=(CARL, DORA))
    addresses = Addresses(world.store, KEY)
    world.store.commit([Delete(addresses.path(CARL)), addresses.adding(Known("gone@x.example", "contact", "c-gone"))])
    return world


def rebuild_index(world: MailWorld) -> None:
    rebuild_addresses(world.documents, world.store, jitter=world.jitter)


@dataclass
class Store:
    documents: Documents
    jitter: FakeJitter = field(default_factory=FakeJitter)


def old_shapes() -> Store:
    documents = MemoryDocuments()
    for number in range(3):
        fields = {"v": 1, "first": "A", "last": str(number), "town": "Rome"}
        documents.commit([Create(f"tenants/t/people/{number}", fields)])
    return Store(documents)


def upgrade(world: Store) -> None:
    upgrade_documents(world.documents, jitter=world.jitter, catalogue=PEOPLE)


def restore(world: Store) -> None:
    summing = Summing()
    lines = list(backup_lines(mail_world().documents, summing))
    restore_lines(world.documents, lines, backup_id="b-1", sums=summing.sums)


def dump(world: Any) -> object:
    return world.documents.dump()


FLOWS: list[tuple[Flow[Any], int]] = [
    (Flow("erase somebody who wrote", correspondence, erase, lambda world: whole(world, "done_at", "gone_at")), 10),
    (
        Flow(
            "erase somebody who signed, papers and all",
            signed,
            lambda world: erase(world, SIGNER, SignedPapers.ERASE),
            lambda world: whole(world, "done_at", "gone_at"),
        ),
        10,
    ),
    (Flow("change the data key", sealed, change_data_key, opened), 3),
    (Flow("wrap the data keys anew", sealed, rewrap, opened), 1),
    (Flow("change a notice key", contract_world, change_connect_key, connect_keys_of), 2),
    (Flow("replay all", with_parked, replay_all, parked_and_queued), 6),
    (Flow("re-sync a mailbox", mail_world, resync, lambda world: len(world.queue.pending())), 1),
    (
        Flow(
            "rebuild the address index",
            without_index,
            rebuild_index,
            dump,
        ),
        2,
    ),
    (
        Flow(
            "upgrade documents",
            old_shapes,
            upgrade,
            dump,
        ),
        3,
    ),
    (Flow("restore", lambda: Store(MemoryDocuments()), restore, dump), 3),
]


@pytest.mark.parametrize(("flow", "least"), FLOWS, ids=lambda value: value.name if isinstance(value, Flow) else "")
def test_every_point_of_a_command(flow: Flow[Any], least: int) -> None:
    report = try_every_point(flow)
    assert len(report.calls) >= least, report
    assert not report.failures, str(report)
