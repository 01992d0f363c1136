"""The whole way of the money for the crash harness: from the notice of the last signature to an invoice that was mailed
and paid, through both vendors and every queue between them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

from shared.domain.cash.ledger_settings import LedgerSettings
from shared.domain.cash.mapping import CustomerMatch, MatchState
from shared.domain.connection import Connection
from shared.domain.mailbox import Status
from shared.ports.cash import Ledger
from shared.ports.tasks import Task
from shared.records.connections import Connections
from shared.records.ledgers import customer_matches, ledgers
from shared.records.people import Users
from shared.records.routes import Target, adding_route
from tests import cash_flows, contract_flows, contract_world
from tests.cash_world import AUTOMATIC_SINCE, CUSTOMER, FIONA, LEDGER, CashWorld
from tests.contract_world import COMPANY, TENANT, ContractWorld
from tests.crash import Flow
from tests.crash_flows import FunctionFlow
from tests.fake_ledger import COMPANY as BOOKS
from tests.fake_ledger import FakeLedger
from tests.fakes import FakeAuthorization

FUNCTIONS = (
    "docusign_webhook",
    "contract_sync",
    "contract_store",
    "deal_won",
    "invoice_trigger",
    "invoice_push",
    "invoice_send",
    "quickbooks_webhook",
    "payment_sync",
    "ledger_read",
    "outbox_sweep",
)


@dataclass(kw_only=True)
class MoneyWorld(ContractWorld):
    """The company of the contracts, and its ledger."""

    ledger: Ledger
    authorization: FakeAuthorization

    @property
    def accounting(self) -> CashWorld:
        """The same company, as the stories of invoices and payments see it."""
        return CashWorld(**{entry.name: getattr(self, entry.name) for entry in fields(CashWorld)})

    def run(self, task: Task) -> None:
        """Contracts and invoices share the queues."""
        if task.function in contract_world.FUNCTIONS:
            super().run(task)
        else:
            self.accounting.run(task)


def signed_and_unheard(**books: Any) -> Callable[[], MoneyWorld]:
    """Everybody signed, no notice came in yet, and what is won is to be invoiced and mailed. books: what the ledger is
    like, see FakeLedger."""

    def build() -> MoneyWorld:
        contracting = contract_flows.signed_unheard()()
        clock = contracting.time
        ledger = FakeLedger(clock)
        for name, value in books.items():
            setattr(ledger, name, value)
        ledger.has_customer("Globex Corporation", customer_id=CUSTOMER)
        kept = {entry.name: getattr(contracting, entry.name) for entry in fields(contracting)}
        world = MoneyWorld(**kept, ledger=ledger, authorization=FakeAuthorization(clock))
        _connect_ledger(world)
        return world

    return build


def _connect_ledger(world: MoneyWorld) -> None:
    now, store = world.clock.now(), world.store
    settings = LedgerSettings(
        connection_id=LEDGER,
        provider="quickbooks",
        company=BOOKS,
        default_item="1",
        sends_invoices=True,
        reviewed_at=now,
        read_until=now,
    )
    connection = Connection(
        connection_id=LEDGER,
        provider="quickbooks",
        user_id=FIONA.user_id,
        account=BOOKS.name,
        account_id=BOOKS.company_id,
        scopes=frozenset(),
        refused=frozenset(),
        status=Status.CONNECTED,
        connected_at=now,
    )
    writes = [
        Users(store).creating(FIONA),
        ledgers(store).creating(LEDGER, settings),
        customer_matches(store, LEDGER).creating(COMPANY, CustomerMatch(COMPANY, MatchState.ACCEPTED, CUSTOMER)),
        Connections(store).writing(connection),
    ]
    route = adding_route("quickbooks", BOOKS.company_id, Target(TENANT, LEDGER))
    world.documents.commit([*store.absolute(writes), route])
    world.pipeline(invoices_on_win=True, invoices_since=AUTOMATIC_SINCE)


def sign_to_paid(world: MoneyWorld) -> None:
    """The signing service tells what it has to tell; the customer gets the invoice and pays it; the ledger tells that.
    Notices that were not answered come again."""
    contract_flows.hear_notices(world)
    accounting = world.accounting
    settle(world)
    for invoice in accounting.books.invoices():
        if invoice.balance.minor and accounting.books.sent:
            accounting.books.pays(invoice.invoice_id, invoice.balance.minor)
    cash_flows.hear(accounting)
    settle(world)


def settle(world: MoneyWorld) -> None:
    """Queues and sweeps, until nothing is left."""
    world.drain(redeliver=True)
    for _ in range(3):
        world.passes(seconds=cash_flows.LATER_S)
        world.sweeps()


def end_state(world: MoneyWorld) -> dict[str, Any]:
    """What people see of the contract and of the invoice. Payments are counted: their ids are the ledger's own."""
    books = cash_flows.end_state(world.accounting)
    return {
        **{f"contract: {name}": value for name, value in contract_flows.end_state(world).items()},
        **{f"invoice: {name}": value for name, value in books.items() if name != "payments"},
        "paid": [str(kept.value.payment.amount) for kept in world.records.payments.where(())],
    }


def flow(name: str, build: Callable[[], MoneyWorld]) -> FunctionFlow:
    return FunctionFlow(frozenset(FUNCTIONS), Flow(name, build, sign_to_paid, end_state, later), least=60)


def later(world: MoneyWorld) -> None:
    world.passes(seconds=cash_flows.LATER_S)


def at_a_ledger(**books: Any) -> Callable[[], CashWorld]:
    """A deal was won whose invoice is to be mailed, at a ledger with these habits."""

    def build() -> CashWorld:
        world = cash_flows.sent_by_itself()
        for name, value in books.items():
            setattr(world.books, name, value)
        return world

    return build


FLOWS = [
    flow("from the last signature to the payment", signed_and_unheard()),
    cash_flows.flow(
        "an invoice at a ledger that forgets request keys",
        "invoice_push",
        build=at_a_ledger(idempotent=False),
        run=cash_flows.plan,
    ),
    cash_flows.flow(
        "an invoice at a ledger that takes a number twice",
        "invoice_push",
        build=at_a_ledger(unique=False),
        run=cash_flows.plan,
    ),
]
