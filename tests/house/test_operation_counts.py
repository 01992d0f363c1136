"""What a message may cost in documents read and written, and in Gmail units; counted exactly over the fakes."""

from __future__ import annotations

import pytest

from bench import operations as bill
from bench.matching import counted_among
from bench.operations import Cost
from shared.providers.google.prices import GMAIL_UNITS

READ = GMAIL_UNITS["gmail.users.messages.get"]


def reads_for(participants: int) -> int:
    return bill.READS_LOGGED + bill.READS_A_PARTICIPANT * participants


def test_a_message_with_one_contact_costs_six_writes_and_six_reads_beside_its_participants() -> None:
    message = bill.logged_first().message
    assert message.writes <= bill.WRITES_LOGGED
    assert message.reads <= reads_for(participants=2)
    assert message.units == 2 * READ, "its headers, then its body"


def test_a_reply_in_a_known_thread_costs_no_more() -> None:
    message = bill.logged_first(replies_to_known=True).message
    assert message.writes <= bill.WRITES_LOGGED
    assert message.reads <= reads_for(participants=2)


def test_the_first_reply_that_lost_its_references_pays_for_the_redirect_that_serves_all_others() -> None:
    first, further = bill.trimmed_reply().message, bill.trimmed_reply(further=True).message
    assert first.writes <= bill.WRITES_LOGGED + 1
    assert first.reads <= reads_for(participants=2) + 1
    assert further.writes <= bill.WRITES_LOGGED
    assert further.reads <= reads_for(participants=2)


def test_a_reply_to_what_is_not_here_costs_the_promise_of_a_second_look_and_the_look() -> None:
    message = bill.reply_to_unknown().message
    assert message.writes <= bill.WRITES_LOGGED + 2, "the promise, and its removal"
    assert message.reads <= reads_for(participants=2) + 3, "the promise, the message, the one it answers"


@pytest.mark.parametrize("contacts", [2, 5])
def test_each_further_contact_costs_two_writes_and_its_own_read(contacts: int) -> None:
    one, more = bill.logged_first().message, bill.logged_first(contacts=contacts).message
    assert more.writes - one.writes <= (contacts - 1) * bill.WRITES_A_FURTHER_CONTACT
    assert more.reads - one.reads <= (contacts - 1) * bill.READS_A_PARTICIPANT
    assert more.units == one.units


def test_a_second_holder_costs_five_writes_and_no_body() -> None:
    message = bill.second_holder().message
    assert message.writes <= bill.WRITES_SECOND_HOLDER
    assert message.units == READ, "its headers alone"


def test_a_left_out_message_costs_two_writes_and_no_body() -> None:
    message = bill.left_out().message
    assert message.writes <= bill.WRITES_LEFT_OUT
    assert message.units == READ, "its headers alone"


def test_a_message_in_spam_costs_its_row_alone() -> None:
    assert bill.system_label().message == Cost(reads=0, writes=1, units=0)


def test_a_sync_run_costs_three_writes_beside_its_rows() -> None:
    for found in (bill.logged_first(), bill.second_holder(), bill.left_out()):
        assert found.sync.writes <= bill.WRITES_A_SYNC
    assert bill.empty_sync().writes <= bill.WRITES_A_SYNC


def test_reads_do_not_grow_with_the_number_of_contacts() -> None:
    assert counted_among(2_000).message == counted_among(20).message
