"""Wrap every data key anew, with the wrapping key's newest version, so that its older versions can be retired (D8)."""

from __future__ import annotations

from collections.abc import Callable

from shared import log
from shared.domain.values import dataclass
from shared.ports.documents import Documents, Update
from shared.ports.secrets import WrappingKey
from shared.ports.time import Clock, Jitter
from shared.records.store import guarded
from shared.records.walks import walk


@dataclass(frozen=True, slots=True)
class Rewrapped:
    """keys: data keys there are. rewrapped: by this run. opened: that open after it, all of them in a good run."""

    keys: int
    rewrapped: int
    opened: int


def rewrap_keys(
    documents: Documents,
    wrapping_key: WrappingKey,
    wrapped_for: Callable[[str, int], bytes],
    *,
    clock: Clock,
    jitter: Jitter,
    dry_run: bool = False,
) -> Rewrapped:
    """Of every tenant. A data key stays what it is; only what it is wrapped in changes.

    wrapped_for: the context a tenant's key of a version is wrapped for. Raises: PayloadError for a key that does not
    open; nothing is written over it.
    """
    keys = rewrapped = opened = 0
    for found in walk(documents, "keys"):
        keys += 1
        context = wrapped_for(found.path.split("/")[1], int(found.fields["version"]))
        plain = wrapping_key.unwrap(found.fields["wrapped"], context)
        if not dry_run:
            _write(documents, found.path, wrapping_key.wrap(plain, context), clock, jitter)
            rewrapped += 1
        current = documents.get(found.path)
        opened += current is not None and wrapping_key.unwrap(current.fields["wrapped"], context) == plain
    if rewrapped:
        log.event("data_keys.rewrapped", keys=rewrapped)
    return Rewrapped(keys, rewrapped, opened)


def _write(documents: Documents, path: str, wrapped: bytes, clock: Clock, jitter: Jitter) -> None:
    def attempt() -> None:
        current = documents.get(path)
        if current is not None:
            documents.commit([Update(path, {"wrapped": wrapped, "wrapped_at": clock.now()}, current.version)])

    guarded(jitter, path, attempt)
