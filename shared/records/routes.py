"""From what a vendor names (a Gmail address, a calendar channel) to whose it is: ids of tenant and mailbox, no more.

Routes lie outside the tenants, because a notice comes before anybody knows whose it is. One mailbox may be connected
in several tenants (D6): a route is a set.
"""

from __future__ import annotations

from collections.abc import Mapping

from shared.domain.ids import digest
from shared.domain.values import dataclass
from shared.ports.documents import Documents, Merge, Remove, Union, Write


@dataclass(frozen=True, slots=True)
class Target:
    """Who a notice is for. detail: what else the receiver needs, such as a calendar stream's id."""

    tenant: str
    mailbox_id: str
    detail: str = ""


class Routes:
    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def targets(self, kind: str, key: str) -> tuple[Target, ...]:
        """Nobody, for what we never routed."""
        document = self._documents.get(route_path(kind, key))
        return tuple(_target(stored) for stored in document.fields["targets"]) if document else ()

    def sharers(self, kind: str, key: str) -> int:
        """How many tenants it leads to; at least the one that asks, whose route may be gone already."""
        return max(1, len({target.tenant for target in self.targets(kind, key)}))


def route_path(kind: str, key: str) -> str:
    return f"routes/{kind}:{digest(kind, key)}"


def adding_route(kind: str, key: str, target: Target) -> Write:
    """For a commit on the documents themselves, not on a tenant's store."""
    return Merge(route_path(kind, key), {"v": 1, "targets": Union((_fields(target),))})


def removing_route(kind: str, key: str, target: Target) -> Write:
    return Merge(route_path(kind, key), {"v": 1, "targets": Remove((_fields(target),))})


def _fields(target: Target) -> dict[str, str]:
    return {"tenant": target.tenant, "mailbox": target.mailbox_id, "detail": target.detail}


def _target(stored: Mapping[str, str]) -> Target:
    return Target(stored["tenant"], stored["mailbox"], stored["detail"])
