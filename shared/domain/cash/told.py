"""What of a deal's chain is told on timelines, and how it is told to those who see no ledger figures (R2, R13)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from shared.domain.cash.deal import ChainStep, Step
from shared.domain.timeline import Kind

KINDS: Mapping[Step, Kind] = {
    Step.CONTRACT_SENT: Kind.CONTRACT,
    Step.CONTRACT_VIEWED: Kind.CONTRACT,
    Step.CONTRACT_SIGNED_BY: Kind.CONTRACT,
    Step.CONTRACT_BOUNCED: Kind.CONTRACT,
    Step.CONTRACT_SIGNED: Kind.CONTRACT,
    Step.CONTRACT_DECLINED: Kind.CONTRACT,
    Step.CONTRACT_VOIDED: Kind.CONTRACT,
    Step.CONTRACT_ACTIVE: Kind.CONTRACT,
    Step.CONTRACT_EXPIRED: Kind.CONTRACT,
    Step.DEAL_WON: Kind.DEAL,
    Step.INVOICE_CREATED: Kind.INVOICE,
    Step.INVOICE_SENT: Kind.INVOICE,
    Step.INVOICE_VOIDED: Kind.INVOICE,
    Step.PAYMENT_RECEIVED: Kind.INVOICE,
    Step.PAYMENT_UNAPPLIED: Kind.INVOICE,
    Step.CREDIT_APPLIED: Kind.INVOICE,
    Step.REFUND_MADE: Kind.INVOICE,
    Step.DEAL_PARTIALLY_PAID: Kind.INVOICE,
    Step.DEAL_PAID: Kind.INVOICE,
    Step.DEAL_OPEN_AGAIN: Kind.INVOICE,
}
"""Steps that concern the customer; the others are our own affair and stay on the chain."""

PLAIN: Mapping[Step, str] = {
    Step.INVOICE_PLANNED: "An invoice is planned.",
    Step.INVOICE_CREATED: "The invoice was made.",
    Step.INVOICE_STOPPED: "An invoice was held back; finance sees why.",
    Step.INVOICE_SENT: "The invoice was sent to the customer.",
    Step.INVOICE_EDITED: "The invoice was edited in the ledger.",
    Step.INVOICE_VOIDED: "The invoice was taken back in the ledger.",
    Step.PAYMENT_RECEIVED: "A payment came in.",
    Step.PAYMENT_UNAPPLIED: "A payment bounced, or is not applied to an invoice.",
    Step.CREDIT_APPLIED: "A credit was entered.",
    Step.REFUND_MADE: "A refund was made.",
    Step.DEAL_PARTIALLY_PAID: "What was invoiced is paid in part.",
    Step.DEAL_PAID: "What was invoiced is paid.",
    Step.DEAL_OPEN_AGAIN: "What was paid is open again.",
}
"""The steps whose sentences carry what only finance sees, and what everybody else reads."""


def without_figures(step: ChainStep) -> ChainStep:
    """The step as people without finance see it: what happened, without amounts and the ledger's ids."""
    plain = PLAIN.get(step.step)
    return step if plain is None else replace(step, sentence=plain, other_id="")
