"""The ways of quotes and contracts through the product, for the crash harness.

What the queues and the sweep would do later is part of every run, so a flow ends when nothing is left to do; the end is
compared as people see it: without the moments, the vendor's own ids, and how often somebody was mailed.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from shared.domain.cash.contract import Contract
from shared.domain.cash.contract_type import ContractType, RoleMapping, Side
from shared.domain.cash.quote import Quote
from shared.domain.outbox import promise
from shared.ports.documents import Query
from shared.records.followups import Outbox
from shared.records.organizations import Organizations
from shared.records.signing import contract_types, signing_services
from shared.records.todos import Todos
from shared.usecases.cash.control_contract import ActionKind
from shared.usecases.cash.decide_quote import DeedKind
from shared.usecases.cash.expire_quotes import expire_quotes
from shared.usecases.cash.reconcile_contracts import queue_reconciles
from shared.usecases.cash.set_logo import set_logo
from shared.usecases.cash.set_up_signing import SetupChoice, connect_keys, open_signing, set_up
from shared.usecases.promises import keep_promise
from tests.contract_world import ADA, CONNECTION, DEAL, ContractWorld, contract_world, line
from tests.crash import Flow
from tests.crash_flows import FunctionFlow
from tests.fake_signing import ACCOUNT, Delivered

A_CLAIM_IS_OVER_S = 150
TASKS_ARE_OVERDUE_S = 360
PICTURE = b"\x89PNG\r\n\x1a\n and what follows"
SLOT = datetime(2026, 3, 3, 3, 41, tzinfo=UTC)


def flow(
    name: str, *functions: str, build: Callable[[], ContractWorld], run: Callable[[ContractWorld], None]
) -> FunctionFlow:
    """run: deliver the input. Draining the queues, and what the sweep brings back, is added here."""

    def whole(world: ContractWorld) -> None:
        run(world)
        world.drain()
        world.passes(seconds=TASKS_ARE_OVERDUE_S)
        world.sweeps()

    def later(world: ContractWorld) -> None:
        world.passes(seconds=A_CLAIM_IS_OVER_S)

    return FunctionFlow(frozenset(functions), Flow(name, build, whole, end_state, later))


# -------------------------------------------------------------------------------------------------- how it must end


def end_state(world: ContractWorld) -> dict[str, Any]:
    records = world.records
    service = signing_services(world.store).get(CONNECTION).value
    return {
        "quotes": sorted(_quote(kept.value) for kept in records.quotes.where(())),
        "contracts": sorted(_contract(kept.value) for kept in records.contracts.where(())),
        "deals": sorted(
            (kept.value.deal_id, kept.value.stage, str(kept.value.amount), kept.value.accepted_quote_id)
            for kept in records.deals.where(())
        ),
        "chain": sorted((step.step.value, step.sentence) for step in world.chain()),
        "timelines": world.timelines(),
        "logo": Organizations(world.store).get().logo_blob,
        "asked": sorted(todo.sentence for todo in Todos(world.store).of_deal(DEAL)),
        "envelopes": [
            (envelope.status, [(one.role, one.email, one.status) for one in envelope.recipients])
            for envelope in world.docusign.envelopes()
        ],
        "documents kept": sorted(world.blobs.keys()),  # type: ignore[attr-defined]  # a FakeBlobs, maybe proxied
        "types": sorted(kept.value.type_id for kept in contract_types(world.store).where(())),
        "service": (service.account, connect_keys(world.store, CONNECTION, vault=lambda: world.vault)),
        "audited": sorted({row.fields["action"] for row in world.store.find(Query("audit"))}),
        "deliveries": sorted(row.fields["state"] for row in world.store.find(Query("deliveries"))),
        "promised": [row.path for row in world.store.find(Query("outbox"))],
        "queued": len(world.queue.pending()),
    }


def _quote(quote: Quote) -> tuple[Any, ...]:
    accepted = quote.acceptance
    return (quote.number, quote.status, quote.pdf_sha256 or "", quote.link is not None, accepted and accepted.name)


def _contract(contract: Contract) -> tuple[Any, ...]:
    return (
        contract.number,
        contract.status,
        tuple((signer.role, signer.email) for signer in contract.signers),
        tuple((signer.name, signer.status) for signer in contract.signers_now),
        contract.envelope_id is not None,
        (contract.document_blob, contract.certificate_blob, contract.by_hand),
        (contract.starts_on, contract.ends_on, contract.void_reason, contract.renewed_by),
        (contract.refused_moves, contract.considered_at is not None),
    )


# ------------------------------------------------------------------------------------------------------------- quotes


def written() -> ContractWorld:
    world = contract_world()
    world.quotes(line(1, "100.00"))
    return world


def write_quote(world: ContractWorld) -> None:
    world.quotes(line(1, "100.00"))


def send_quote(world: ContractWorld) -> None:
    world.sends_quote(_only_quote(world))


def decide_on_page(*kinds: DeedKind) -> Callable[[ContractWorld], None]:
    """The customer's browser: a form that failed is sent once more."""

    def decide(world: ContractWorld) -> None:
        for kind in kinds:
            world.decides(world.mailed[0], kind)

    return decide


def mailed(*, days: int = 0) -> Callable[[], ContractWorld]:
    """A quote whose link was mailed, some days ago, and that was good for that day."""

    def build() -> ContractWorld:
        world = contract_world()
        sent = world.sends_quote(world.quotes(line(1, "100.00"), expires_on=world.today()))
        world.mailed.append(sent)
        world.passes(days=days)
        return world

    return build


# ----------------------------------------------------------------------------------------------------------- contracts


def accepted() -> ContractWorld:
    world = contract_world()
    world.accepted()
    return world


def drafted() -> ContractWorld:
    world = accepted()
    world.contracts(_only_quote(world))
    return world


def out() -> ContractWorld:
    world = contract_world()
    world.out()
    return world


def bounced() -> ContractWorld:
    world = out()
    world.passes(minutes=1)
    world.docusign.act("Customer", "bounce")
    world.hears_all()
    return world


def signed() -> ContractWorld:
    world = contract_world()
    world.signed()
    return world


def write_contract(world: ContractWorld) -> None:
    contract = world.contracts(_only_quote(world))
    world.changes_signers(contract, contract.signers)


def send_contract(world: ContractWorld) -> None:
    world.sends(_only_contract(world))


def upload(world: ContractWorld) -> None:
    world.uploads(_only_contract(world))


def act(kind: ActionKind, **fields: Any) -> Callable[[ContractWorld], None]:
    """A person who repeats what failed until it is so."""

    def do(world: ContractWorld) -> None:
        contract = _only_contract(world)
        if kind is ActionKind.VOID and contract.ended:
            return
        world.does(contract, kind, **fields)

    return do


def void(world: ContractWorld) -> None:
    """What the service did before a crash is told by its notices, as ever."""
    contract = _only_contract(world)
    if world.docusign.only.status != "voided":
        world.does(contract, ActionKind.VOID, reason="Wrong price")
    world.hears(*all_notices(world))


def correct(world: ContractWorld) -> None:
    asked = _only_contract(world).signers_now[0]
    if asked.email != "sue@globex.example":
        act(ActionKind.CORRECT, recipient_id=asked.recipient_id, name="Sue", email="sue@globex.example")(world)


# ------------------------------------------------------------------------------------------------------------ notices


def all_notices(world: ContractWorld) -> list[Delivered]:
    """Every notice so far; one whose delivery was not answered comes again."""
    while posts := world.docusign.posts():
        for post in posts:
            world.posted.append(post)
            world.docusign.acknowledge(post)
    return world.posted


def hear_notices(world: ContractWorld) -> None:
    for post in all_notices(world):
        world.receives(post)


def signed_unheard(*, bare: bool = False, lost: bool = False) -> Callable[[], ContractWorld]:
    """Everybody signed and no notice came in yet. bare: they tell little. lost: they never will."""

    def build() -> ContractWorld:
        world = contract_world()
        world.sends(world.contracts(world.accepted()))
        if bare:
            world.docusign.disturb("bare", times=9)
        world.signs()
        if lost:
            while posts := world.docusign.posts():
                for post in posts:
                    world.docusign.acknowledge(post)
        return world

    return build


def viewed_twice_unheard() -> ContractWorld:
    """Two notices that tell too little: one reading now, one after its fifteen minutes."""
    world = contract_world()
    world.out()
    world.docusign.disturb("bare", times=9)
    world.docusign.act("Customer", "view")
    world.docusign.act("Customer", "bounce")
    return world


def reconcile_job(world: ContractWorld) -> None:
    queue_reconciles(world.documents, tasks=world.tasks, slot=SLOT)


def turn_job(world: ContractWorld) -> None:
    world.turns()


def ending() -> ContractWorld:
    world = signed()
    world.turns()
    world.passes(days=300)
    return world


# -------------------------------------------------------------------------------------------------------------- set-up


def connected() -> ContractWorld:
    """Just connected: what follows is promised."""
    world = contract_world()
    ids = {"tenant": "acme", "connection": CONNECTION}
    opening = promise("signing_open", ids, world.clock.now(), CONNECTION)
    world.store.commit([Outbox(world.store).creating(opening)])
    return world


def open_accounts(world: ContractWorld) -> None:
    def work() -> None:
        open_signing(world.store, CONNECTION, "docusign", accounts=lambda: (ACCOUNT,))

    for row in world.store.find(Query("outbox")):
        keep_promise(world.store, row.id, work)


def set_everything_up(world: ContractWorld) -> None:
    kind = ContractType("nda", "NDA", (RoleMapping("Customer", Side.CUSTOMER, 1),), terms="Silence.")
    choice = SetupChoice(ACCOUNT.account_id, ("a new key",), True, kind)
    set_up(
        world.store,
        CONNECTION,
        choice,
        ADA,
        signing=lambda: world.signing,
        vault=world.vault,
        clock=world.clock,
        jitter=world.jitter,
    )


def end_quotes(world: ContractWorld) -> None:
    expire_quotes(world.documents, clock=world.clock, jitter=world.jitter)


def change_logo(world: ContractWorld) -> None:
    set_logo(
        world.store,
        PICTURE,
        ADA,
        is_image=lambda _: True,
        blobs=world.blobs,
        clock=world.clock,
        jitter=world.jitter,
    )


def _only_quote(world: ContractWorld) -> Quote:
    (found,) = world.records.quotes.where(())
    return found.value


def _only_contract(world: ContractWorld) -> Contract:
    (found,) = world.records.contracts.where(())
    return found.value


FLOWS: tuple[FunctionFlow, ...] = (
    flow("a quote is written", "quote_write", build=contract_world, run=write_quote),
    flow("a quote is sent", "quote_send", build=written, run=send_quote),
    flow(
        "a quote is opened and accepted",
        "quote_page",
        build=mailed(),
        run=decide_on_page(DeedKind.OPEN, DeedKind.ACCEPT),
    ),
    flow("a quote is declined", "quote_page", build=mailed(), run=decide_on_page(DeedKind.DECLINE)),
    flow("an ended quote is asked for anew", "quote_page", build=mailed(days=3), run=decide_on_page(DeedKind.RENEW)),
    flow("a contract is made", "contract_write", build=accepted, run=write_contract),
    flow("a contract is sent", "contract_send", build=drafted, run=send_contract),
    flow("a contract is signed by hand", "contract_upload", "deal_won", build=drafted, run=upload),
    flow("a contract is voided", "contract_control", "docusign_webhook", build=out, run=void),
    flow("a signer is corrected", "contract_control", build=bounced, run=correct),
    flow("a contract is renewed", "contract_control", build=signed, run=act(ActionKind.RENEW)),
    flow(
        "everybody signed",
        "docusign_webhook",
        "contract_sync",
        "contract_store",
        "deal_won",
        build=signed_unheard(),
        run=hear_notices,
    ),
    flow(
        "everybody signed, told in few words",
        "docusign_webhook",
        "contract_sync",
        build=signed_unheard(bare=True),
        run=hear_notices,
    ),
    flow(
        "an envelope is read twice",
        "docusign_webhook",
        "contract_sync",
        "contract_read",
        build=viewed_twice_unheard,
        run=hear_notices,
    ),
    flow(
        "everybody signed and no notice came",
        "docusign_reconcile",
        "contract_reconcile",
        "contract_store",
        "deal_won",
        build=signed_unheard(lost=True),
        run=reconcile_job,
    ),
    flow("a contract becomes active", "contract_dates", build=signed, run=turn_job),
    flow("a contract nears its end", "contract_dates", build=ending, run=turn_job),
    flow("the logo is set", "logo_upload", build=written, run=change_logo),
    flow("a quote ends", "quote_dates", build=mailed(days=3), run=end_quotes),
    flow("the accounts are read", "signing_open", build=connected, run=open_accounts),
    flow("signing is set up", "signing_setup", build=contract_world, run=set_everything_up),
)
