"""What each role may ask of each function (R2), as one table; and who else may not ask at all.

The deals, the contact and the mailboxes of the stories are the owner's. The manager manages the owner, the other
manager another rep. "granted" is an administrator whose role was given invoices and ledger figures.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from local.cloud.manifests import Trigger
from shared.domain.people import Role
from shared.ports.documents import Create, Delete, Write
from shared.records.organizations import Organizations
from tests.isolation.company import HOME, PEOPLE
from tests.isolation.doors import MANIFESTS, Stage
from tests.isolation.tries import BY_PEOPLE, BY_STRANGERS, EVERY_TRY, Try, play

COLUMNS = ("owner", "rep", "manager", "other_manager", "executive", "admin", "granted", "finance")

#                                              owner rep manager other exec admin granted finance
EVERYBODY = "                                    +     +     +     +     +     +      +      +"
THE_RECORD = "                                   +     -     +     -     +     +      +      -"
THE_DEAL = "                                     +     -     +     -     +     +      +      +"
THE_MAILBOX = "                                  +     -     -     -     -     +      +      -"
ADMINISTRATION = "                               -     -     -     -     -     +      +      -"
LEDGERS = "                                      -     -     -     -     -     +      +      +"
MONEY = "                                        -     -     -     -     -     -      +      +"

TABLE: Mapping[str, str] = {
    "timeline_read: of a contact": THE_RECORD,
    "timeline_read: of a company": EVERYBODY,
    "timeline_read: of a deal": THE_DEAL,
    "timeline_read: own record": EVERYBODY,
    "message_read: of everybody's contact": EVERYBODY,
    "message_read: of the owner's contact": THE_RECORD,
    "missing_explain": THE_MAILBOX,
    "connection_status": THE_MAILBOX,
    "backfill_estimate": THE_MAILBOX,
    "duplicates_settle: list": EVERYBODY,
    "quarantine_replay: list": ADMINISTRATION,
    "integration_log_read: of a ledger": LEDGERS,
    "integration_log_read: of the signing service": LEDGERS,
    "chain_read: steps": THE_DEAL,
    "chain_read: table": THE_DEAL,
    "invoices_read": THE_DEAL,
    "contract_send: review": THE_RECORD,
    "invoice_create: propose from a deal": MONEY,
    "invoice_create: propose from a contract": MONEY,
    "invoice_create: propose for a contact": MONEY,
    "ledger_mapping: customers": LEDGERS,
    "ledger_mapping: choices": LEDGERS,
    "ledger_mapping: permissions": LEDGERS,
    "ledger_mapping: settings": LEDGERS,
    "ledger_mapping: blocking": LEDGERS,
    "ledger_mapping: listed": LEDGERS,
    "ledger_mapping: unmatched": MONEY,
    "signing_setup: read": ADMINISTRATION,
    "connection_control: pause": THE_MAILBOX,
    "connection_control: resume": THE_MAILBOX,
    "connection_control: disable": ADMINISTRATION,
    "contacts_import": EVERYBODY,
    "contract_control: remind": THE_RECORD,
    "contract_control: reconcile": THE_RECORD,
    "contract_control: renew": THE_RECORD,
    "contract_control: void": THE_RECORD,
    "contract_write: change": THE_RECORD,
    "contract_upload": THE_RECORD,
    "contract_send: send": THE_RECORD,
    "contract_write: from a quote": THE_RECORD,
    "quote_write: new": THE_RECORD,
    "quote_write: change": THE_RECORD,
    "quote_send": THE_RECORD,
    "deletions_settle": THE_MAILBOX,
    "duplicates_settle: dismiss": EVERYBODY,
    "duplicates_settle: move": EVERYBODY,
    "finance_grant": ADMINISTRATION,
    "invoice_control: send": MONEY,
    "invoice_control: retry": MONEY,
    "invoice_control: take theirs": MONEY,
    "invoice_control: void": MONEY,
    "invoice_create: make": MONEY,
    "ledger_connect": LEDGERS,
    "ledger_mapping: decide": LEDGERS,
    "ledger_mapping: settle": LEDGERS,
    "ledger_mapping: items": LEDGERS,
    "ledger_mapping: save": LEDGERS,
    "ledger_mapping: reviewed": LEDGERS,
    "ledger_mapping: switch": LEDGERS,
    "ledger_mapping: match": MONEY,
    "ledger_mapping: reconcile": LEDGERS,
    "logo_upload": ADMINISTRATION,
    "quarantine_replay: replay": ADMINISTRATION,
    "signing_setup: set": ADMINISTRATION,
    "oauth_start: google": EVERYBODY,
    "oauth_start: docusign": ADMINISTRATION,
    "oauth_start: quickbooks": LEDGERS,
}
REFUSALS = (403, 404)
NEEDS_NO_SIGN_IN = frozenset({tried.function for tried in BY_STRANGERS})


class Restored:
    """A stage that is as it was before every try."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self._before = stage.documents.dump()

    def put_back(self) -> None:
        now, before = self.stage.documents.dump(), self._before
        if now == before:
            return
        writes: list[Write] = [Delete(path) for path in now if now[path] != before.get(path)]
        self.stage.documents.commit(writes)
        changed = [path for path in before if now.get(path) != before[path]]
        self.stage.documents.commit([Create(path, before[path]) for path in changed])


@pytest.fixture(scope="module")
def restored() -> Iterator[Restored]:
    with pytest.MonkeyPatch.context() as patch:
        stage = Stage().wire(patch)
        stage.founds(HOME)
        yield Restored(stage)


def grants(stage: Stage, *roles: Role) -> None:
    store = stage.store(HOME)
    organizations = Organizations(store)
    known = organizations.stored()
    store.commit([organizations.updating(replace(known.value, finance_roles=frozenset(roles)), known.version)])


def asked_by(restored: Restored, column: str, tried: Try) -> Any:
    restored.put_back()
    stage = restored.stage
    if column == "granted":
        grants(stage, Role.ADMIN)
    who = PEOPLE["admin" if column == "granted" else column]
    return play(stage, tried, HOME, who, stage.companies[HOME].ids)


@pytest.mark.parametrize("tried", BY_PEOPLE, ids=lambda tried: tried.name)
def test_the_table_says_who_may_and_the_function_does(restored: Restored, tried: Try) -> None:
    expected = dict(zip(COLUMNS, TABLE[tried.name].split(), strict=True))
    told = {}
    for column in COLUMNS:
        status = asked_by(restored, column, tried).status_code
        assert status < 500
        told[column] = "-" if status in REFUSALS else "+"
    assert told == expected


def test_every_function_that_people_ask_has_its_rows() -> None:
    assert set(TABLE) == {tried.name for tried in BY_PEOPLE}
    asked = {name for name, manifest in MANIFESTS.items() if manifest.trigger is Trigger.HTTP}
    assert {tried.function for tried in BY_PEOPLE} == asked - NEEDS_NO_SIGN_IN


def test_somebody_who_is_refused_changes_nothing(restored: Restored) -> None:
    restored.put_back()
    before = restored.stage.inside(HOME)
    for tried in BY_PEOPLE:
        refused = [column for column, mark in zip(COLUMNS, TABLE[tried.name].split(), strict=True) if mark == "-"]
        for column in refused:
            who = PEOPLE[column]
            play(restored.stage, tried, HOME, who, restored.stage.companies[HOME].ids)
            assert restored.stage.inside(HOME) == before, (tried.name, column)


@pytest.mark.parametrize(
    "tried",
    [tried for tried in EVERY_TRY if tried.trigger is not Trigger.HTTP],
    ids=lambda tried: tried.name,
)
def test_no_person_calls_what_is_for_our_own_queues(restored: Restored, tried: Try) -> None:
    restored.put_back()
    before = restored.stage.inside(HOME)
    for user in PEOPLE.values():
        headers = {"X-CloudTasks-TaskName": "t", "X-CloudScheduler-JobName": "j"}
        body = {**(tried.body or {}), "tenant": HOME}
        assert restored.stage.asks(tried.function, user, HOME, json=body, headers=headers).status_code == 401
    assert restored.stage.inside(HOME) == before


def test_the_role_of_the_record_counts_not_the_one_a_token_claims(restored: Restored) -> None:
    """All tokens of this folder claim to be an administrator's; only one is."""
    restored.put_back()
    statuses = {
        name: restored.stage.asks("quarantine_replay", user, HOME, method="GET").status_code
        for name, user in PEOPLE.items()
    }
    assert [name for name, status in statuses.items() if status == 200] == ["admin"]


def test_finance_reads_the_calls_to_ledgers_and_no_others(restored: Restored) -> None:
    restored.put_back()
    stage = restored.stage
    ids = stage.companies[HOME].ids

    def read(column: str, connection: str) -> list[str]:
        query = {"connection": ids[connection]}
        answer = stage.asks("integration_log_read", PEOPLE[column], HOME, method="GET", query_string=query)
        return [call["purpose"] for call in answer.get_json()["data"]]

    assert [read("finance", "ledger"), read("finance", "signing")] == [["read an invoice"], []]
    assert [read("admin", "ledger"), read("admin", "signing")] == [["read an invoice"], ["send an envelope"]]
