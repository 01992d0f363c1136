"""A store in which somebody else is quicker."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from shared.ports.documents import Document, Version, Write
from tests.fakes import MemoryDocuments


class Contested(MemoryDocuments):
    """refuse: what the next commit fails with. before_get: what happens just before the next document is read."""

    refuse: Exception | None = None
    before_get: Callable[[], object] | None = None

    def commit(self, writes: Sequence[Write]) -> list[Version]:
        refuse, self.refuse = self.refuse, None
        if refuse is not None:
            raise refuse
        return super().commit(writes)

    def get(self, path: str) -> Document | None:
        happens, self.before_get = self.before_get, None
        if happens is not None:
            happens()
        return super().get(path)
