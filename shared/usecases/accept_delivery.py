"""Take a verified delivery in: store, enqueue, answer; nothing else within the request (I25, D9)."""

from __future__ import annotations

from dataclasses import replace

from shared import log
from shared.domain.delivery import KEPT_FOR, Delivery, DeliveryState
from shared.domain.ids import digest
from shared.errors import AlreadyExistsError
from shared.ports.documents import Create, Delete, Update, Version, Write
from shared.ports.secrets import Vault
from shared.ports.tasks import Task, Tasks
from shared.ports.time import Clock
from shared.records.codec import Kind
from shared.records.store import TenantStore
from shared.records.stored import Stored, stored

DELIVERY: Kind[Delivery] = Kind(Delivery)
BODY = "delivery_body"


def accept_delivery(
    store: TenantStore,
    *,
    provider: str,
    connection_id: str,
    event_key: str,
    kind: str,
    body: bytes,
    function: str,
    vault: Vault,
    tasks: Tasks,
    clock: Clock,
) -> str:
    """Store the delivery and queue its task; a duplicate runs the same steps. Returns the delivery's id.

    Raises: ProviderUnavailableError; the sender then tries again.
    """
    now = clock.now()
    delivery = Delivery(
        provider=provider,
        connection_id=connection_id,
        event_key=event_key,
        kind=kind,
        received_at=now,
        expires_at=now + KEPT_FOR,
        body=vault.seal(connection_id, BODY, body),
    )
    try:
        store.commit([Create(_path(delivery.delivery_id), DELIVERY.fields(delivery))])
    except AlreadyExistsError:
        log.event("delivery.repeated", tenant=store.tenant, delivery=delivery.delivery_id)
    payload = {"tenant": store.tenant, "delivery": delivery.delivery_id}
    name = digest(function, store.tenant, delivery.delivery_id)
    tasks.create([Task(function.replace("_", "-"), function, name, payload)])
    return delivery.delivery_id


def find_delivery(store: TenantStore, delivery_id: str) -> Stored[Delivery] | None:
    return stored(DELIVERY, store.get(_path(delivery_id)))


def delivered_body(vault: Vault, delivery: Delivery) -> bytes:
    return vault.open(delivery.connection_id, BODY, delivery.body)


def done(delivery: Delivery, version: Version) -> Write:
    """Part of the commit that settles what the delivery told."""
    settled = replace(delivery, state=DeliveryState.DONE)
    return Update(_path(delivery.delivery_id), DELIVERY.fields(settled), version)


def forgetting(delivery_id: str) -> Write:
    return Delete(_path(delivery_id))


def _path(delivery_id: str) -> str:
    return f"deliveries/{delivery_id}"
