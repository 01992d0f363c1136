"""Who may connect ledgers, map them and make invoices (R2)."""

from __future__ import annotations

from shared.domain.people import Role, User
from shared.errors import ForbiddenError

FINANCE = frozenset({Role.ADMIN, Role.FINANCE})


def require_finance(user: User) -> None:
    """Raises: ForbiddenError."""
    if user.role not in FINANCE:
        raise ForbiddenError(f"user {user.user_id} has nothing to do with ledgers")
