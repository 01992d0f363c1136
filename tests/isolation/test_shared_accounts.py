"""Two organizations with one account at a vendor, and the same records: neither takes the other's for its own (R1).

A mailbox in two tenants, a company's books that two tenants keep, a signing account that two tenants send from.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.domain.cash.contract import Contract
from shared.domain.cash.intent import InvoiceIntent
from shared.domain.quarantine import Parked
from shared.domain.receipt import Receipt
from shared.errors import PayloadError
from shared.platform.vault import DataKeyCache
from shared.ports.documents import Query, Replace
from shared.records.cash import CashRecords
from shared.usecases.quarantine import park
from shared.usecases.read_receipt import read_receipt
from tests.fakes import FakeJitter
from tests.isolation.company import HOME, PEOPLE
from tests.isolation.doors import Stage
from tests.isolation.tries import BILL
from tests.mail_world import ANNA, BEN

RIVAL = "rival"
BOTH = (HOME, RIVAL)


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    """Both use the vendors' accounts of the first."""
    stage = Stage().wire(monkeypatch)
    for tenant in BOTH:
        stage.founds(tenant)
    home, rival = stage.companies[HOME], stage.companies[RIVAL]
    rival.mail, rival.signing, rival.money, rival.calendars = home.mail, home.signing, home.money, home.calendars
    return stage


def contract(stage: Stage, tenant: str, which: str) -> Contract:
    return CashRecords(stage.store(tenant)).contracts.get(stage.companies[tenant].ids[which]).value


def sends(stage: Stage, tenant: str) -> None:
    body = {"contract": stage.companies[tenant].ids["draft contract"]}
    assert stage.asks("contract_send", PEOPLE["owner"], tenant, json=body).status_code == 200


def test_the_same_contract_of_two_organizations_is_two_envelopes(stage: Stage) -> None:
    before = len(stage.companies[HOME].signing.docusign.envelopes())
    for tenant in BOTH:
        sends(stage, tenant)
    first, second = (contract(stage, tenant, "draft contract").envelope_id for tenant in BOTH)
    assert first != second
    assert len(stage.companies[HOME].signing.docusign.envelopes()) == before + 2


def test_a_sending_whose_answer_was_lost_is_not_found_in_another_organization_s_envelope(stage: Stage) -> None:
    """Both began to send; only the first arrived."""
    sends(stage, HOME)
    records = CashRecords(stage.store(RIVAL))
    stored = records.contracts.get(stage.companies[RIVAL].ids["draft contract"])
    begun = replace(stored.value, sent_at=stage.clock.now(), sending_at=None)
    stage.store(RIVAL).commit([records.contracts.updating(begun.contract_id, begun, stored.version)])
    sends(stage, RIVAL)
    assert contract(stage, RIVAL, "draft contract").envelope_id != contract(stage, HOME, "draft contract").envelope_id


def test_a_notice_about_one_organization_s_contract_moves_no_other_s(stage: Stage) -> None:
    """The notice is genuine, and posted to the other one's address."""
    sends(stage, HOME)
    untouched = contract(stage, RIVAL, "draft contract")
    stage.companies[HOME].signing.signs()
    posts = stage.companies[HOME].signing.docusign.posts()
    assert posts
    for post in posts:
        path = f"/{RIVAL}/{stage.companies[RIVAL].ids['signing']}"
        assert stage.calls("docusign_webhook", path=path, data=post.body, headers=dict(post.headers)).status_code == 204
    stage.clock.advance(600)
    stage.works(lambda task: task.function != "invoice_trigger")
    assert contract(stage, RIVAL, "draft contract") == untouched


def test_a_reconcile_repairs_the_own_contracts_alone(stage: Stage) -> None:
    sends(stage, HOME)
    stage.companies[HOME].signing.signs()
    untouched = contract(stage, RIVAL, "draft contract")
    for tenant in BOTH:
        payload = {"tenant": tenant, "connection": stage.companies[tenant].ids["signing"]}
        assert stage.dispatches("contract_reconcile", payload).status_code == 204
    assert contract(stage, HOME, "draft contract").signed
    assert contract(stage, RIVAL, "draft contract") == untouched


def test_the_same_invoice_of_two_organizations_is_two_in_the_books(stage: Stage) -> None:
    books = stage.companies[HOME].money.books
    before = len(books.invoices())
    for tenant in BOTH:
        asked = {**BILL, "deal": stage.companies[tenant].ids["deal"]}
        assert stage.asks("invoice_create", PEOPLE["finance"], tenant, json=asked).status_code == 200
        stage.works()
    made = [made_by_hand(stage, tenant) for tenant in BOTH]
    assert len({intent.invoice_id for intent in made}) == 2
    assert len({intent.number for intent in made}) == 2
    assert len(books.invoices()) == before + 2


def made_by_hand(stage: Stage, tenant: str) -> InvoiceIntent:
    (found,) = [kept.value for kept in CashRecords(stage.store(tenant)).intents.where(()) if kept.value.by_hand]
    return found


def test_a_notice_of_the_books_is_read_by_each_into_its_own_records(stage: Stage) -> None:
    books = stage.companies[HOME].money.books
    books.pays(stage.companies[HOME].money.mirror().invoice.invoice_id, 1_000)
    for tenant in BOTH:
        payload = {"tenant": tenant, "connection": stage.companies[tenant].ids["ledger"], "thorough": True}
        assert stage.dispatches("ledger_read", payload).status_code == 204
    stage.works()
    paid = [[kept.value.payment for kept in CashRecords(stage.store(tenant)).payments.where(())] for tenant in BOTH]
    assert paid[0] == paid[1]
    assert len(paid[0]) == 2


def test_a_mail_in_a_mailbox_of_two_organizations_is_logged_by_each(stage: Stage) -> None:
    world = stage.companies[HOME].mail
    world.arrives(subject="New", to=[ANNA, BEN], message_id="new@x")
    for tenant in BOTH:
        payload = {"tenant": tenant, "mailbox": stage.companies[tenant].ids["mailbox"], "wish": None}
        assert stage.dispatches("mailbox_sync", payload).status_code == 204
    stage.works()
    receipts = [receipt(stage, tenant) for tenant in BOTH]
    assert receipts[0] == receipts[1]
    assert receipts[0].balanced
    for tenant in BOTH:
        subjects = [found.fields["subject"] for found in stage.store(tenant).find(Query("messages"))]
        assert subjects.count("New") == 1


def receipt(stage: Stage, tenant: str) -> Receipt:
    return read_receipt(stage.store(tenant), stage.companies[tenant].ids["mailbox"], stage.clock)


def test_one_of_them_disconnects_and_the_other_reads_on(stage: Stage) -> None:
    """The watch at Google is the mailbox's, and stops with its last organization (D6)."""
    world, home, rival = stage.companies[HOME].mail, stage.companies[HOME], stage.companies[RIVAL]
    before = stage.inside(RIVAL)["documents"]
    body = {"mailbox": home.ids["mailbox"], "action": "disconnect"}
    assert stage.asks("connection_control", PEOPLE["owner"], HOME, json=body).status_code == 204
    stage.works()
    assert stage.inside(RIVAL)["documents"] == before
    assert world.box(ANNA).calls["stop_watch"] == 0
    world.arrives(subject="Later", message_id="later@x")
    payload = {"tenant": RIVAL, "mailbox": rival.ids["mailbox"], "wish": None}
    assert stage.dispatches("mailbox_sync", payload).status_code == 204
    stage.works()
    for tenant, expected in ((HOME, 0), (RIVAL, 1)):
        subjects = [found.fields["subject"] for found in stage.store(tenant).find(Query("messages"))]
        assert subjects.count("Later") == expected


def test_what_is_parked_in_both_is_replayed_in_both(stage: Stage) -> None:
    """At the same moment, so that nothing but the tenant tells their tasks apart."""
    for tenant in BOTH:
        payload = {"tenant": tenant, "delivery": "v-1"}
        parked = Parked("task", "same", "x", stage.clock.now(), {}, "contract-sync", "contract_sync", payload)
        entry = park(stage.store(tenant), parked, FakeJitter())
        answer = stage.asks("quarantine_replay", PEOPLE["admin"], tenant, json={"entry": entry})
        assert answer.status_code == 204
    assert sorted(task.payload["tenant"] for task in stage.tasks.pending("contract-sync")) == [HOME, RIVAL]


@pytest.mark.parametrize("sealed_in", BOTH)
def test_what_is_sealed_for_one_opens_in_no_other(stage: Stage, sealed_in: str) -> None:
    """Not even where its data key was copied along with it."""
    other = RIVAL if sealed_in == HOME else HOME
    sealed = stage.vault(sealed_in).seal("n-1", "refresh_token", b"secret")
    assert stage.vault(sealed_in).open("n-1", "refresh_token", sealed) == b"secret"
    with pytest.raises(PayloadError):
        stage.vault(other).open("n-1", "refresh_token", sealed)
    for connection, field in (("n-2", "refresh_token"), ("n-1", "access_token")):
        with pytest.raises(PayloadError):
            stage.vault(sealed_in).open(connection, field, sealed)


def test_a_data_key_that_was_copied_to_another_organization_opens_nothing(stage: Stage) -> None:
    sealed = stage.vault(HOME).seal("n-1", "refresh_token", b"secret")
    key = stage.documents.get(f"tenants/{HOME}/keys/1")
    assert key is not None
    stage.documents.commit([Replace(f"tenants/{RIVAL}/keys/1", key.fields)])
    stage.keys = DataKeyCache()
    with pytest.raises(PayloadError):
        stage.vault(RIVAL).open("n-1", "refresh_token", sealed)
