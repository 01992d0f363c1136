"""What happened to a deal from quote to cash, as one traceable table (Q1)."""

from __future__ import annotations

from shared.domain.cash.contract import Contract
from shared.domain.cash.deal import ChainStep, Deal
from shared.domain.cash.quote import Quote
from shared.domain.cash.told import without_figures
from shared.domain.people import User
from shared.domain.values import dataclass
from shared.errors import NotFoundError
from shared.records.cash import CashRecords
from shared.records.store import TenantStore
from shared.records.todos import Todo, Todos
from shared.usecases.cash.finance import may_see_deal, sees_figures


@dataclass(frozen=True, slots=True)
class Chain:
    """steps: oldest first. todos: what the deal's owner was asked to do."""

    deal: Deal
    quotes: tuple[Quote, ...]
    contracts: tuple[Contract, ...]
    steps: tuple[ChainStep, ...]
    todos: tuple[Todo, ...]

    @property
    def refused_moves(self) -> int:
        """How often something contradicted a contract's end."""
        return sum(contract.refused_moves for contract in self.contracts)

    @property
    def table(self) -> str:
        """Step, time, cause, id at the other side, and what happened, one line each, under a heading."""
        heading = ("time (UTC)", "step", "cause", "id at the other side", "what happened")
        rows = [
            (f"{step.at:%Y-%m-%d %H:%M:%S}", step.step.value, step.cause, step.other_id, step.sentence)
            for step in self.steps
        ]
        widths = [max(len(row[column]) for row in [heading, *rows]) for column in range(len(heading) - 1)]
        lines = [
            "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]]).rstrip()
            for row in [heading, *rows]
        ]
        return "\n".join(lines)


def read_chain(store: TenantStore, deal_id: str, user: User) -> Chain:
    """For whoever may see the deal, and for finance; who sees no ledger figures reads what happened without them.

    Raises: NotFoundError, also for a deal the user may not see: its existence is not told.
    """
    records = CashRecords(store)
    deal = records.deals.get(deal_id).value
    if not may_see_deal(deal, user.viewer):
        raise NotFoundError(f"deal {deal_id} does not exist")
    figures = sees_figures(store, user.viewer)
    quotes = [kept.value for kept in records.quotes.where((("deal_id", "==", deal_id),))]
    contracts = [kept.value for kept in records.contracts_of_deal(deal_id)]
    return Chain(
        deal=deal,
        quotes=tuple(sorted(quotes, key=lambda quote: quote.number)),
        contracts=tuple(sorted(contracts, key=lambda contract: contract.number)),
        steps=tuple(step if figures else without_figures(step) for step in records.chain(deal_id)),
        todos=tuple(Todos(store).of_deal(deal_id)),
    )
