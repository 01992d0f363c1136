"""Who acts when an operator runs a command: somebody with an admin's rights and no account of the organization."""

from __future__ import annotations

from shared.domain.people import Role, User

OPERATOR = User("operator", "Operator", "", role=Role.ADMIN)
"""Stands in the audit log as its actor."""
