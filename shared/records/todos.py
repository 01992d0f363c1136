"""What a person is asked to do or told, once for each cause."""

from __future__ import annotations

from datetime import datetime

from shared.domain.ids import short_id
from shared.domain.values import dataclass
from shared.ports.documents import ID, Merge, Query, Write
from shared.records.codec import Kind
from shared.records.store import TenantStore


@dataclass(frozen=True, slots=True)
class Todo:
    """A task of one user. sentence: what they read. asked_at: aware UTC."""

    todo_id: str
    owner_id: str
    deal_id: str
    sentence: str
    asked_at: datetime


TODO: Kind[Todo] = Kind(Todo)


class Todos:
    def __init__(self, store: TenantStore) -> None:
        self._store = store

    def asking(
        self, owner_id: str, deal_id: str, sentence: str, asked_at: datetime, *, new: tuple[str | int, ...]
    ) -> Write:
        """Part of the commit of its cause. new: what makes it this task; a repeat is the same one."""
        todo = Todo(short_id("k", "todo", *new), owner_id, deal_id, sentence, asked_at)
        return Merge(f"tasks/{todo.todo_id}", TODO.fields(todo))

    def of_deal(self, deal_id: str) -> list[Todo]:
        query = Query("tasks", where=(("deal_id", "==", deal_id),), order_by=(ID,))
        return [TODO.value(document.fields) for document in self._store.find(query)]
