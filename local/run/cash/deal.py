"""One deal as the product's pages show it, and what is waited for on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from local.run.product import Product
from local.run.waiting import NotSeenError, until

SEEN_WITHIN_S = 60.0
LOOK_EVERY_S = 0.1
HINT_EVERY_S = 0.5

Page = dict[str, Any]


@dataclass(frozen=True, slots=True)
class DealPages:
    """product: of the deal's owner. finance: of somebody who may see figures of invoices, which not every owner may."""

    product: Product
    finance: Product
    deal_id: str

    def chain(self) -> Page:
        """As `chain_read` answers: deal, quotes, contracts, steps, todos."""
        return self.product.get("chain_read", deal=self.deal_id)

    def table(self) -> list[Page]:
        """The chain's steps with everything in them, oldest first."""
        return list(self.finance.get("chain_read", deal=self.deal_id)["steps"])

    def steps(self) -> list[str]:
        return [str(step["step"]) for step in self.chain()["steps"]]

    def quote(self) -> Page:
        return dict(self.chain()["quotes"][0])

    def contract(self) -> Page:
        return dict(self.chain()["contracts"][0])

    def money(self) -> Page:
        """As `invoices_read` answers: money, invoices, payments, intents."""
        return dict(self.finance.get("invoices_read", deal=self.deal_id)["data"])

    def standing(self) -> str:
        """The sentence that the deal's owner reads about its money."""
        return str(self.product.get("invoices_read", deal=self.deal_id)["data"]["sentence"])

    def wait_for_step(self, step: str, times: int = 1, *, hint: Callable[[], None] | None = None) -> None:
        """Raises: NotSeenError."""
        self.wait(lambda: self.steps().count(step) >= times, f"the step {step} of deal {self.deal_id}", hint=hint)

    def wait(self, look: Callable[[], bool], what: str, *, hint: Callable[[], None] | None = None) -> None:
        """hint: called before each look, for changes that the other side does not tell by itself.

        Raises: NotSeenError naming `what`.
        """

        def hinted() -> bool:
            if hint is not None:
                hint()
            return look()

        every_s = LOOK_EVERY_S if hint is None else HINT_EVERY_S
        until(hinted, what, within_s=SEEN_WITHIN_S, every_s=every_s)


def require(seen: bool, what: str) -> None:
    """Raises: NotSeenError naming `what`, which was expected."""
    if not seen:
        raise NotSeenError(what)
