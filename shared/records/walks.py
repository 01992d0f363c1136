"""Every document of a collection, page by page: for what an operator does with all of them."""

from __future__ import annotations

from collections.abc import Iterator

from shared.ports.documents import ID, Document, Documents, Query

PAGE = 100
"""Documents held at once; one may weigh a megabyte."""


def walk(documents: Documents, collection: str, *, tenant: str | None = None) -> Iterator[Document]:
    """Documents of every collection of this name, wherever it lies, in path order; of one tenant's, where it is named.

    Deleting and changing what was handed out disturbs nothing. Of what is written meanwhile, some is seen.
    """
    start = f"tenants/{tenant}" if tenant else None
    inside = f"tenants/{tenant}/" if tenant else ""
    while True:
        after = (start,) if start else None
        page = documents.find(Query(collection, order_by=(ID,), limit=PAGE, start_after=after, group=True))
        for document in page:
            if not document.path.startswith(inside):
                return  # paths are in order, so this tenant's are over
            yield document
        if len(page) < PAGE:
            return
        start = page[-1].path


def tenants(documents: Documents) -> list[str]:
    """Every organization that was ever set up, in order."""
    return [found.path.split("/")[1] for found in walk(documents, "settings") if found.id == "organization"]
