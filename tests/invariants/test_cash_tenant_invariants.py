"""Whose money it is: every repository of quote to cash is blind across tenants (I27)."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any

from shared.domain.cash.accounting import PaymentKind
from shared.domain.cash.contract import ContractStatus
from shared.domain.cash.contract_type import ContractType
from shared.domain.cash.signing_settings import SigningSettings
from shared.domain.integration_call import IntegrationCall
from shared.errors import NotFoundError
from shared.ports.documents import Query
from shared.records import cash, ledgers, numbers, signing, todos
from shared.records.cash import CashRecords
from shared.records.ledgers import IntegrationLog
from shared.records.store import TenantStore
from shared.records.todos import Todos
from tests.cash_world import CONTRACT, DEAL, FIONA, LEDGER, CashWorld, worked_example

REPOSITORIES: tuple[ModuleType, ...] = (cash, ledgers, numbers, signing, todos)
NAMES_NOTHING = {"path"}
WHOLE = ("deals", "pipelines", "quotes", "contracts", "intents", "invoices", "payments", "standings")


def busy_company() -> CashWorld:
    """An organization that sold, invoiced, was paid, credited, and called its vendors."""
    world = worked_example()
    store = world.store
    world.wins()
    invoice = world.mirror().invoice.invoice_id
    world.books.pays(invoice, 10_000)
    world.books.pays(invoice, 500, kind=PaymentKind.CREDIT_MEMO)
    world.hears_all()
    world.add_contract(contract_id="ct-out", status=ContractStatus.SENT, envelope_id="e-1")
    call = IntegrationCall(LEDGER, "quickbooks", "invoice.read", "ok", 200, world.clock.now(), 0.1, "trace")
    store.commit(
        [
            Todos(store).asking(FIONA.user_id, DEAL, "Look at this.", world.clock.now(), new=("once",)),
            IntegrationLog(store).writing(call),
            signing.signing_services(store).creating("n-signing", SigningSettings("n-signing", "docusign")),
            signing.contract_types(store).creating("sow", ContractType("sow", "SOW", ())),
        ]
    )
    return world


def reading_methods() -> set[str]:
    """Everything in the repositories that reads, as "Class.method" or "function"."""
    found = set()
    for module in REPOSITORIES:
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if function.__module__ == module.__name__:
                found.add(name)
        for name, shape in inspect.getmembers(module, inspect.isclass):
            if shape.__module__ != module.__name__ or hasattr(shape, "__dataclass_fields__"):
                continue
            for method, function in inspect.getmembers(shape, inspect.isfunction):
                returns = str(inspect.signature(function).return_annotation)
                if method[0] != "_" and "Write" not in returns and method not in NAMES_NOTHING:
                    found.add(f"{name}.{method}")
    return found


def reads(world: CashWorld, store: TenantStore) -> dict[str, list[Callable[[], Any]]]:
    """Every reading method, called with what names a document of the busy company."""
    records, now = CashRecords(store), world.clock.now()
    [step, *_] = world.chain()
    collections = {name: getattr(records, name) for name in WHOLE}
    ids = {
        name: [kept.id for kept in world.store.find(Query(collections[name].path("").rstrip("/")))] for name in WHOLE
    }
    each = [(collections[name], id_) for name in WHOLE for id_ in ids[name]]
    return {
        "Collection.find": [partial(one.find, id_) for one, id_ in each],
        "Collection.get": [partial(one.get, id_) for one, id_ in each],
        "Collection.where": [partial(one.where, ()) for one in collections.values()],
        "Collection.count": [partial(one.count, ()) for one in collections.values()],
        "CashRecords.contract_of_envelope": [lambda: records.contract_of_envelope("e-1")],
        "CashRecords.contracts_of_deal": [lambda: records.contracts_of_deal(DEAL)],
        "CashRecords.intents_of_deal": [lambda: records.intents_of_deal(DEAL)],
        "CashRecords.invoices_of_deal": [lambda: records.invoices_of_deal(DEAL)],
        "CashRecords.payments_of_deal": [lambda: records.payments_of_deal(DEAL)],
        "CashRecords.has_step": [lambda: records.has_step(step)],
        "CashRecords.chain": [lambda: records.chain(DEAL)],
        "IntegrationLog.newest": [lambda: IntegrationLog(store).newest(LEDGER, now, 10)],
        "Todos.of_deal": [lambda: Todos(store).of_deal(DEAL)],
        "ledgers": [lambda: ledgers.ledgers(store).find(LEDGER)],
        "customer_matches": [lambda: ledgers.customer_matches(store, LEDGER).where(())],
        "signing_services": [lambda: signing.signing_services(store).find("n-signing")],
        "contract_types": [lambda: signing.contract_types(store).find("sow")],
        "next_number": [lambda: numbers.next_number(store, "INV")[0] != "INV-000001"],
    }


def test_i27_every_repository_of_quote_to_cash_is_blind_across_tenants() -> None:
    world = busy_company()
    foreign = reads(world, TenantStore(world.documents, "rival"))
    assert set(foreign) == reading_methods()
    for name, each in foreign.items():
        for read in each:
            try:
                found = read()
            except NotFoundError:
                continue
            assert not found, name


def test_i27_the_same_reads_find_something_at_home() -> None:
    """Or the test above would prove nothing."""
    world = busy_company()
    for name, each in reads(world, world.store).items():
        assert each, name
        assert all(read() for read in each), name
    assert world.records.contracts.get(CONTRACT)
