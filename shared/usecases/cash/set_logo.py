"""The logo on an organization's quotes and contracts (Q1, R12)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace

from shared.domain.people import Role, User
from shared.errors import ForbiddenError, InputError
from shared.ports.blobs import Blobs
from shared.ports.papers import Letterhead
from shared.ports.time import Clock, Jitter
from shared.records.audit import Audit
from shared.records.organizations import Organizations
from shared.records.store import TenantStore, guarded

LARGEST = 1024 * 1024
TYPES = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}
"""By the first bytes of the file."""


def set_logo(
    store: TenantStore,
    content: bytes,
    user: User,
    *,
    is_image: Callable[[bytes], bool],
    blobs: Blobs,
    clock: Clock,
    jitter: Jitter,
) -> None:
    """Keep it by its digest; without content there is no logo any more. Safe to repeat.

    is_image: whether the whole of it can be drawn.
    Raises: ForbiddenError; InputError for what is neither PNG nor JPEG, or larger than 1 MB.
    """
    if user.role is not Role.ADMIN:
        raise ForbiddenError(f"user {user.user_id} may not change the organization's logo")
    key = _kept(store, content, is_image, blobs) if content else None

    def attempt() -> None:
        organizations = Organizations(store)
        known = organizations.stored()
        if known.value.logo_blob == key:
            return
        audit = Audit(store).recording(user.user_id, "logo.changed", store.tenant, clock.now())
        store.commit([organizations.updating(replace(known.value, logo_blob=key), known.version), audit])

    guarded(jitter, f"settings of {store.tenant}", attempt)


def with_logo(store: TenantStore, head: Letterhead, blobs: Blobs) -> Letterhead:
    """Raises: NotFoundError for a tenant that was never set up."""
    key = Organizations(store).get().logo_blob
    return replace(head, logo=blobs.get(key)) if key else head


def _kept(store: TenantStore, content: bytes, is_image: Callable[[bytes], bool], blobs: Blobs) -> str:
    if len(content) > LARGEST:
        raise InputError("The logo is larger than 1 MB.")
    kind = next((kind for start, kind in TYPES.items() if content.startswith(start)), None)
    if kind is None or not is_image(content):
        raise InputError("The logo is no PNG or JPEG that can be drawn; export it once more.")
    key = f"{store.tenant}/logo/{hashlib.sha256(content).hexdigest()}"
    blobs.put(key, content, kind)
    return key
