"""Everything we keep about one person, as it may be handed to them (R10)."""

from __future__ import annotations

import pytest

from shared.domain.settings import NeverLog
from shared.errors import NotFoundError
from shared.records.audit import Audit
from shared.usecases.operations.export_person import Exported, export_person, record_export
from tests.mail_world import ANNA, BEN, CARL, DORA, MailWorld, mail_world


@pytest.fixture
def world() -> MailWorld:
    world = mail_world(contacts=(CARL, DORA))
    world.options(own_record=True, never_log=NeverLog(addresses=frozenset({"carl+private@customer.example"})))
    world.arrives(subject="From Carl", text="long " * 20_000, to=[ANNA, BEN])
    world.arrives(sender=DORA, to=[ANNA, CARL], subject="To both")
    world.arrives(sender=DORA, to=[ANNA], subject="Behind his back", text="carl@customer.example is late again")
    world.arrives(sender=DORA, to=[CARL], bcc=[ANNA], subject="Copied in secret")
    world.sync(ANNA)
    world.sync(BEN)
    return world


def exported(world: MailWorld) -> list[Exported]:
    return list(export_person(world.documents, world.store, "c-carl", vault=world.vault()))


def test_the_contact_their_timeline_and_their_mail_are_in_it(world: MailWorld) -> None:
    paths = [record.path.split("/")[0] for record in exported(world)]
    assert paths.count("contacts") == 3  # the contact, and two conversations on the timeline
    subjects = {record.fields["subject"] for record in exported(world) if record.path.startswith("messages/")}
    assert subjects == {"From Carl", "To both"}


def test_long_bodies_come_along_as_files(world: MailWorld) -> None:
    keys = [key for record in exported(world) for key in record.blobs]
    assert [world.blobs.get(key)[:9] for key in keys] == [b"long long"]


def test_nothing_tells_who_else_reads_what(world: MailWorld) -> None:
    told = repr(exported(world))
    for hidden in ("readers", "u-ben", "participant_keys", "never_log", "users/"):
        assert hidden not in told


def test_mail_between_others_that_mentions_them_is_not_handed_out(world: MailWorld) -> None:
    assert "Behind his back" not in repr(exported(world))


def test_who_got_a_copy_by_bcc_is_not_betrayed(world: MailWorld) -> None:
    assert [entry.messages for entry in world.own_record()]  # Anna has it
    assert "Copied in secret" not in repr(exported(world))


def test_an_export_changes_nothing_and_is_audited(world: MailWorld) -> None:
    before = world.memory.dump()
    count = len(exported(world))
    assert world.memory.dump() == before
    record_export(world.store, "c-carl", actor="operator", records=count, clock=world.clock)
    (row,) = Audit(world.store).newest(1)
    assert (row.actor, row.action, row.subject) == ("operator", "contact.exported", "c-carl")


def test_nobody_can_be_exported_who_is_not_here(world: MailWorld) -> None:
    with pytest.raises(NotFoundError):
        list(export_person(world.documents, world.store, "c-nobody", vault=world.vault()))
