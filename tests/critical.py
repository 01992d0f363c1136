"""Where a mistake costs most: money, cursors, leases, budgets, promises, exactly-once, matching.

These modules are held to full branch coverage (`python -m tests.covered`) and are mutated (`python -m tests.mutation`),
each by the tests of its part, none of which opens a socket.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """modules: paths from the root. tests: folders and files whose tests are about them."""

    modules: tuple[str, ...]
    tests: tuple[str, ...]


PARTS: dict[str, Part] = {
    "mail": Part(
        (
            "shared/domain/backfill.py",
            "shared/domain/budget.py",
            "shared/domain/lease.py",
            "shared/domain/ledger.py",
            "shared/domain/mail_rules.py",
            "shared/domain/matching.py",
            "shared/domain/outbox.py",
            "shared/domain/receipt.py",
            "shared/domain/threads.py",
            "shared/domain/visibility.py",
            "shared/records/followups.py",
            "shared/usecases/budget.py",
            "shared/usecases/call_slots.py",
            "shared/usecases/lease.py",
            "shared/usecases/mail/backfill_mailbox.py",
            "shared/usecases/mail/ingest_messages.py",
            "shared/usecases/mail/sync_mailbox.py",
            "shared/usecases/promises.py",
            "shared/usecases/read_receipt.py",
        ),
        (
            "tests/domain/test_backfill_plan.py",
            "tests/domain/test_budget.py",
            "tests/domain/test_lease.py",
            "tests/domain/test_matching.py",
            "tests/domain/test_threads.py",
            "tests/usecases/mail",
            "tests/usecases/test_call_slots.py",
            "tests/usecases/test_contacts.py",
            "tests/usecases/test_promises.py",
            "tests/usecases/test_races.py",
            "tests/test_flows_twice.py",
            "tests/invariants/test_connection_invariants.py",
            "tests/invariants/test_mail_invariants.py",
        ),
    ),
    "money": Part(
        (
            "shared/domain/cash/billing.py",
            "shared/domain/cash/contract.py",
            "shared/domain/cash/deal_money.py",
            "shared/domain/cash/intent.py",
            "shared/domain/cash/money.py",
            "shared/domain/cash/quote.py",
            "shared/usecases/accept_delivery.py",
            "shared/usecases/cash/accept_changes.py",
            "shared/usecases/cash/book_invoice.py",
            "shared/usecases/cash/plan_invoices.py",
            "shared/usecases/cash/push_invoice.py",
            "shared/usecases/cash/send_invoice.py",
            "shared/usecases/cash/sync_contract.py",
            "shared/usecases/cash/sync_ledger_record.py",
        ),
        (
            "tests/domain/cash",
            "tests/usecases/cash",
            "tests/invariants/test_contract_invariants.py",
            "tests/invariants/test_money_invariants.py",
            "tests/test_flows_twice.py",
        ),
    ),
}


def part_of(module: str) -> Part:
    """Raises: KeyError for a module that is not listed."""
    for part in PARTS.values():
        if module in part.modules:
            return part
    raise KeyError(module)
