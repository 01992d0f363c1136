"""Deals in their pipelines, and the chain of what happened to each (R3, Q1, Q5)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from shared.domain.cash.money import Money
from shared.domain.ids import short_id
from shared.domain.values import dataclass


@dataclass(frozen=True, slots=True)
class Stage:
    """probability: percent."""

    stage_id: str
    name: str
    probability: int


@dataclass(frozen=True, slots=True)
class Pipeline:
    """won_stage, lost_stage: ids of its own stages. The two switches of Q5: a signature moves the deal, and a deal
    that is won is invoiced. discount_limit: percent off the list price from which on a quote waits for a manager's
    approval; None for any. invoices_since: when invoicing was switched on; deals won before are listed, never
    invoiced (I32)."""

    pipeline_id: str
    name: str
    stages: tuple[Stage, ...]
    won_stage: str
    lost_stage: str
    moves_on_signature: bool = True
    invoices_on_win: bool = False
    invoices_since: datetime | None = None
    discount_limit: Decimal | None = None


class ContactRole(StrEnum):
    BUYER = "buyer"
    SIGNER = "signer"
    BILLING = "billing"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class DealContact:
    contact_id: str
    role: ContactRole


@dataclass(frozen=True, slots=True)
class Deal:
    """An opportunity. won_at: when it came to its won stage, by whatever cause. accepted_quote_id: which of its quotes
    the customer accepted."""

    deal_id: str
    name: str
    pipeline_id: str
    stage: str
    amount: Money
    owner_id: str
    company_id: str | None = None
    contacts: tuple[DealContact, ...] = ()
    close_on: date | None = None
    won_at: datetime | None = None
    lost_at: datetime | None = None
    accepted_quote_id: str | None = None

    def in_stage(self, stage: str, pipeline: Pipeline, now: datetime) -> Deal:
        won = (self.won_at or now) if stage == pipeline.won_stage else None
        lost = (self.lost_at or now) if stage == pipeline.lost_stage else None
        return replace(self, stage=stage, won_at=won, lost_at=lost)


class Step(StrEnum):
    """The steps of the chain, in the order they usually come."""

    QUOTE_SENT = "quote.sent"
    QUOTE_VIEWED = "quote.viewed"
    QUOTE_ACCEPTED = "quote.accepted"
    QUOTE_DECLINED = "quote.declined"
    QUOTE_EXPIRED = "quote.expired"
    QUOTE_RENEWAL_ASKED = "quote.renewal_asked"
    CONTRACT_PREPARED = "contract.prepared"
    CONTRACT_SENT = "contract.sent"
    CONTRACT_VIEWED = "contract.viewed"
    CONTRACT_SIGNED_BY = "contract.signed_by"
    CONTRACT_BOUNCED = "contract.bounced"
    CONTRACT_REMINDED = "contract.reminded"
    CONTRACT_CORRECTED = "contract.corrected"
    CONTRACT_SIGNED = "contract.signed"
    CONTRACT_DECLINED = "contract.declined"
    CONTRACT_VOIDED = "contract.voided"
    CONTRACT_STORED = "contract.stored"
    CONTRACT_ACTIVE = "contract.active"
    CONTRACT_ENDING = "contract.ending"
    CONTRACT_EXPIRED = "contract.expired"
    CONTRACT_RENEWED = "contract.renewed"
    DEAL_WON = "deal.won"
    DEAL_NOT_MOVED = "deal.not_moved"
    INVOICE_PLANNED = "invoice.planned"
    INVOICE_CREATED = "invoice.created"
    INVOICE_STOPPED = "invoice.stopped"
    INVOICE_SENT = "invoice.sent"
    INVOICE_EDITED = "invoice.edited"
    INVOICE_VOIDED = "invoice.voided"
    PAYMENT_RECEIVED = "payment.received"
    PAYMENT_UNAPPLIED = "payment.unapplied"
    CREDIT_APPLIED = "credit.applied"
    REFUND_MADE = "refund.made"
    DEAL_PARTIALLY_PAID = "deal.partially_paid"
    DEAL_PAID = "deal.paid"
    DEAL_OPEN_AGAIN = "deal.open_again"


@dataclass(frozen=True, slots=True)
class ChainStep:
    """One step of a deal's chain (Q1). cause: what made it happen, such as a delivery's or a user's id. other_id: its
    id at the other side. sentence: what a person reads, figures included, secrets never."""

    step_id: str
    deal_id: str
    step: Step
    at: datetime
    cause: str
    other_id: str
    sentence: str


def chain_step(
    deal_id: str, step: Step, at: datetime, *, cause: str, sentence: str, other_id: str = "", new: tuple[str | int, ...]
) -> ChainStep:
    """new: what makes this step this one; a repeat of its cause is the same step."""
    return ChainStep(short_id("s", deal_id, step.value, *new), deal_id, step, at, cause, other_id, sentence)
