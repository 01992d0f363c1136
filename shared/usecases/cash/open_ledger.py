"""How use cases come to the ledger of a connection."""

from __future__ import annotations

from collections.abc import Callable

from shared.ports.cash import Ledger

OpenLedger = Callable[[str], Ledger]
"""The ledger of a connection, by its id. Raises: NotFoundError; ConnectionRevokedError, AdminActionError for one that
waits for a person, before anything is sent."""
