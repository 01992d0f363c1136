"""Who may connect ledgers, and who sees and moves money (R2).

Connecting and mapping a ledger is open to administrators and finance. Invoices and the ledger's figures are finance's,
and those of a role that an administrator granted them: an administrator's own role has no such grant by itself.
"""

from __future__ import annotations

from dataclasses import replace

from shared.domain.cash.deal import Deal
from shared.domain.people import Role, User, Viewer
from shared.errors import ForbiddenError, InputError, NotFoundError
from shared.ports.time import Clock, Jitter
from shared.records.audit import Audit
from shared.records.organizations import Organizations
from shared.records.store import TenantStore, guarded

CONNECTS_LEDGERS = frozenset({Role.ADMIN, Role.FINANCE})


def require_ledger_setup(user: User) -> None:
    """Raises: ForbiddenError for whoever may neither connect nor map a ledger."""
    if user.role not in CONNECTS_LEDGERS:
        raise ForbiddenError(f"user {user.user_id} may not connect or map ledgers")


def may_see_deal(deal: Deal, viewer: Viewer) -> bool:
    """Its owner and whoever sees the owner's records; and finance, whose business is every deal that is invoiced."""
    return viewer.role is Role.FINANCE or viewer.may_see_records_of(deal.owner_id)


def sees_figures(store: TenantStore, viewer: Viewer) -> bool:
    """Whether invoices, payments and the ledger's figures are for this person. One read, none for finance."""
    if viewer.role is Role.FINANCE:
        return True
    try:
        return viewer.role in Organizations(store).get().finance_roles
    except NotFoundError:
        return False


def require_finance(store: TenantStore, user: User) -> None:
    """Raises: ForbiddenError."""
    if not sees_figures(store, user.viewer):
        raise ForbiddenError(f"invoices and payments are not for user {user.user_id}")


def grant_finance(
    store: TenantStore, role: Role, granted: bool, actor: User, *, clock: Clock, jitter: Jitter
) -> frozenset[Role]:
    """Give a role invoices and ledger figures, or take them back; returns the roles that have them besides finance.

    Raises: ForbiddenError for anybody but an administrator; InputError for finance, which has them anyway.
    """
    if actor.role is not Role.ADMIN:
        raise ForbiddenError(f"user {actor.user_id} may not decide what a role may do")
    if role is Role.FINANCE:
        raise InputError("The role finance sees invoices and ledgers in any case.")

    def attempt() -> frozenset[Role]:
        organizations = Organizations(store)
        known = organizations.stored()
        before = known.value.finance_roles
        after = before | {role} if granted else before - {role}
        if after == before:
            return before
        changed = replace(known.value, finance_roles=after)
        audit = Audit(store).recording(
            actor.user_id,
            "role.changed",
            role.value,
            clock.now(),
            before={"finance": "yes" if role in before else "no"},
            after={"finance": "yes" if granted else "no"},
        )
        store.commit([organizations.updating(changed, known.version), audit])
        return after

    return guarded(jitter, f"settings of {store.tenant}", attempt)
