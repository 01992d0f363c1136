"""The product reads the sample company, and every copy of every message becomes what the sample says."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from local.sample.model import MeetingOutcome, Outcome, SceneStep
from shared.domain.calendar.event import CalendarEvent
from shared.domain.calendar.rules import Busy, EventDecision, Matched, decide_event
from shared.domain.ledger import Rule, State
from shared.domain.mail_rules import Holder, LeftOut
from shared.domain.mailbox import mailbox_id
from shared.providers.google.calendar import event_from_google
from shared.records.mail import Timelines, contact_owner
from shared.records.mailboxes import Mailboxes
from shared.records.organizations import Organizations
from shared.records.people import Contacts
from shared.usecases.calendar.decide_events import look_up_people
from shared.usecases.mail.audit_mailbox import audit_mailbox
from shared.usecases.mail.open_mailbox import window_start
from shared.usecases.read_receipt import read_receipt
from tests.local.sample.world import MONDAY, SampleWorld, sample_world

NORA, TOMAS, MAYA = "nora@birchline.example", "tomas@birchline.example", "maya@birchline.example"

Found = tuple[Outcome | str, Rule | None, tuple[str, ...]]


@pytest.fixture(scope="module")
def world() -> SampleWorld:
    """After the import; tests of this module only look."""
    world = sample_world()
    world.import_contacts()
    world.fill()
    world.backfill()
    return world


def found(world: SampleWorld, address: str, key: str) -> Found:
    """What the ledger and the records say of one copy, in the sample's words."""
    row = world.row(address, key)
    if row is None:
        return Outcome.UNLISTED, None, ()
    if row.state is State.LEFT_OUT:
        return Outcome.LEFT_OUT, row.rule, ()
    if row.state is not State.LOGGED:
        return row.state.value, None, ()
    [user] = [user for user in world.sample.users if user.email == address]
    contacts = tuple(world.contacts_on(world.message(row, user)))
    return Outcome.OWN_RECORD if row.own_record else Outcome.LOGGED, None, contacts


@pytest.mark.parametrize("address", [NORA, TOMAS, MAYA])
def test_every_copy_becomes_what_the_sample_expects(world, address):
    expected = {
        one.key: (one.outcome, one.rule, tuple(sorted(one.contacts))) for one in world.expected_in(address)
    }
    assert {key: found(world, address, key) for key in expected} == expected
