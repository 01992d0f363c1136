"""What quote to cash needs from the world: a signing service and a ledger.

Every method raises ConnectionRevokedError, AdminActionError, ProviderUnavailableError or RateLimitedError where the
vendor says so; below, only what a method adds is named.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from shared.domain.values import dataclass
from shared.ports.marks import reads

if TYPE_CHECKING:  # words of the annotations alone: a cold start would pay for every class behind them
    from shared.domain.cash.accounting import (
        ChoiceKind,
        InvoiceDraft,
        LedgerChange,
        LedgerChoice,
        LedgerCompany,
        LedgerCustomer,
        LedgerInvoice,
        LedgerPayment,
        NewCustomer,
        PaymentKind,
    )
    from shared.domain.cash.signing import EnvelopeRequest, EnvelopeState, SigningTemplate


class Signing(Protocol):
    """One account at a signing service."""

    @reads
    def templates(self) -> tuple[SigningTemplate, ...]: ...

    @reads
    def template(self, template_id: str) -> SigningTemplate:
        """With its roles and fields. Raises: NotFoundError."""
        ...

    def send(self, request: EnvelopeRequest) -> EnvelopeState:
        """Send an envelope. Whether a send whose answer was lost happened is asked with `find_sent`.

        Raises: InputError with a sentence for what the service refuses (an address, a missing role).
        """
        ...

    @reads
    def find_sent(self, intent: str, since: datetime) -> EnvelopeState | None:
        """The envelope that carries this intent, if there is one."""
        ...

    @reads
    def envelope(self, envelope_id: str) -> EnvelopeState:
        """The truth, signers and our ids included. Services forbid asking twice within 15 minutes: the caller keeps
        that rule. Raises: NotFoundError."""
        ...

    @reads
    def changed_since(self, since: datetime) -> tuple[EnvelopeState, ...]:
        """Envelopes whose status changed, in one call or its pages; signers may be left out."""
        ...

    @reads
    def signed_document(self, envelope_id: str) -> bytes:
        """All documents as one PDF, without the certificate."""
        ...

    @reads
    def certificate(self, envelope_id: str) -> bytes:
        """The certificate of completion, a PDF."""
        ...

    @reads
    def signing_link(self, envelope_id: str, recipient_id: str, *, name: str, email: str, return_url: str) -> str:
        """A one-use address, good for minutes, where an embedded signer signs.

        name, email: as the envelope has them now. Raises: InputError while it is not this signer's turn.
        """
        ...

    def void(self, envelope_id: str, reason: str) -> None:
        """Raises: InputError for an envelope that is completed or declined."""
        ...

    def remind(self, envelope_id: str) -> None: ...

    def correct(self, envelope_id: str, recipient_id: str, *, name: str, email: str) -> None:
        """Change a signer who has not signed, and send them the envelope anew."""
        ...


@dataclass(frozen=True, slots=True)
class ChangesPage:
    """Changes since a moment. complete_until: everything before it was told; the next cursor."""

    changes: tuple[LedgerChange, ...]
    complete_until: datetime


class Ledger(Protocol):
    """One company in an accounting system."""

    @reads
    def company(self) -> LedgerCompany: ...

    @reads
    def customers(self) -> tuple[LedgerCustomer, ...]:
        """All active ones, for the mapping preview."""
        ...

    @reads
    def customer(self, customer_id: str) -> LedgerCustomer | None:
        """As it is now; None where it was deleted or merged away."""
        ...

    @reads
    def find_customer(self, name: str) -> LedgerCustomer | None:
        """The customer with exactly this display name."""
        ...

    def create_customer(self, customer: NewCustomer, key: str) -> LedgerCustomer:
        """key: idempotency; the same key and content answer the same customer.

        Raises: AlreadyExistsError where the name is taken (look it up, or choose another).
        """
        ...

    @reads
    def permissions(self) -> Mapping[str, bool]:
        """Kinds of record -> whether this connection may see them, each tried by itself; empty where the ledger gives
        all or nothing."""
        ...

    @reads
    def choices(self, kind: ChoiceKind) -> tuple[LedgerChoice, ...]:
        """What can be mapped; empty where the ledger has no such thing."""
        ...

    @reads
    def record_fields(self, record_type: str) -> tuple[LedgerChoice, ...]:
        """Fields of a record type that the ledger's owner made, as far as they can be written.

        Raises: InputError for a type that is not there, or a ledger without such types.
        """
        ...

    def write_record(self, record_type: str, external_id: str, fields: Mapping[str, str]) -> None:
        """Create or bring up to date the one record with this id of ours. Raises: InputError."""
        ...

    def create_invoice(self, draft: InvoiceDraft, key: str) -> LedgerInvoice:
        """Make it, unsent. key: idempotency where the ledger has it. On any doubt the caller asks `find_invoice`.

        Raises: AlreadyExistsError where our number is taken; InputError with a sentence for what the ledger refuses.
        """
        ...

    @reads
    def find_invoice(self, number: str, external_id: str) -> LedgerInvoice | None:
        """Ours, by our number or our external id."""
        ...

    @reads
    def invoice(self, invoice_id: str) -> LedgerInvoice | None:
        """As it is now; None where it was deleted."""
        ...

    def restore_invoice(self, invoice_id: str, draft: InvoiceDraft) -> LedgerInvoice:
        """Write the draft over what somebody edited there: customer, lines, discount, due date. Only because a person
        asked for it. Raises: NotFoundError; InputError for what the ledger refuses."""
        ...

    def void_invoice(self, invoice_id: str) -> LedgerInvoice: ...

    def send_invoice(self, invoice_id: str, email: str) -> LedgerInvoice:
        """Mail it to the customer from the ledger."""
        ...

    @reads
    def payment(self, kind: PaymentKind, payment_id: str) -> LedgerPayment | None:
        """As it is now; None where it was deleted."""
        ...

    @reads
    def payments_of(self, invoice_id: str) -> Sequence[LedgerPayment]:
        """Everything applied to the invoice now."""
        ...

    @reads
    def changes_since(self, since: datetime) -> ChangesPage:
        """What changed: for the reconcile, and for ledgers that send no notices."""
        ...
