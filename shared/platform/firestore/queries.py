"""What a query may ask, and the order Firestore gives its answer in.

Shared by the adapter and the in-memory fake, so that a query refused in production is refused in a unit test.
"""

from __future__ import annotations

from shared.platform.firestore.values import UnstorableError, check_collection_path, split_field_path
from shared.ports.documents import ID, Query

MAX_ALTERNATIVES = 30
_INEQUALITIES = {"<", "<=", ">", ">="}


def check_query(query: Query) -> None:
    """Raises: UnstorableError for what Firestore would refuse.

    Source: firebase.google.com/docs/firestore/query-data/queries, "Query limitations".
    """
    if query.group and "/" in query.collection:
        raise UnstorableError(f"{query.collection} is a path where a group's name belongs")
    check_collection_path(query.collection)
    for name, op, value in query.where:
        if name != ID:
            split_field_path(name)
        if op == "in" and not (isinstance(value, list | tuple) and 0 < len(value) <= MAX_ALTERNATIVES):
            raise UnstorableError(f"{name} in: takes 1 to {MAX_ALTERNATIVES} values")
        if op != "==" and (value is None or (op == "in" and None in value)):
            raise UnstorableError(f"{name} {op}: None is found by == alone")
    names = [name.removeprefix("-") for name in query.order_by]
    if len(set(names)) < len(names):
        raise UnstorableError("one field orders twice")
    if names[:1] == [ID] and query.order_by[0] != ID and not query.where:
        raise UnstorableError("ids alone are read in ascending order only")
    if query.start_after is not None and len(query.start_after) != len(query.order_by):
        raise UnstorableError("start_after gives one value for each field of order_by")
    if query.limit is not None and query.limit < 1:
        raise UnstorableError("limit is at least 1")


def full_order(query: Query) -> list[tuple[str, bool]]:
    """(field, descending) of the whole order: what was asked, then fields compared by inequality, then the id.

    Source: firebase.google.com/docs/firestore/query-data/multiple-range-fields and RunQuery's StructuredQuery.order_by.
    """
    order = [(name.removeprefix("-"), name.startswith("-")) for name in query.order_by]
    descending = order[-1][1] if order else False
    named = {name for name, _ in order}
    compared = {name for name, op, _ in query.where if op in _INEQUALITIES}
    order += [(name, descending) for name in sorted(compared - named - {ID})]
    if ID not in named:
        order.append((ID, descending))
    return order
