"""Record numbers a person reads: QT-000001, CT-000001, INV-000001. Taken in the commit that creates the record, and an
invoice's in the commit that finds it in the ledger, so that nothing leaves a gap."""

from __future__ import annotations

from shared.domain.values import dataclass
from shared.ports.documents import Create, Update, Write
from shared.records.codec import Kind
from shared.records.store import TenantStore
from shared.records.stored import stored

DIGITS = 6


@dataclass(frozen=True, slots=True)
class Counter:
    """last: the number given out last."""

    last: int


COUNTER: Kind[Counter] = Kind(Counter)


def next_number(store: TenantStore, prefix: str) -> tuple[str, Write]:
    """The next number of a kind, and the guarded write that takes it: of two commits with one number one is refused."""
    path = f"numbers/{prefix}"
    known = stored(COUNTER, store.get(path))
    taken = Counter(known.value.last + 1 if known else 1)
    fields = COUNTER.fields(taken)
    write: Write = Update(path, fields, known.version) if known else Create(path, fields)
    return f"{prefix}-{taken.last:0{DIGITS}d}", write
