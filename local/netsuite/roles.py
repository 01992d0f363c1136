"""NetSuite's permissions by the names an administrator ticks, and the kinds of record of this simulator they open."""

from __future__ import annotations

from collections.abc import Iterable

from local.netsuite.simulator import FULL, VIEW

OPENS = {
    "REST Web Services": (),
    "Log in using OAuth 2.0 Access Tokens": (),
    "SuiteAnalytics Workbook": (),
    "Customers": ("customer",),
    "Invoice": ("invoice",),
    "Customer Payment": ("customerPayment",),
    "Credit Memo": ("creditMemo",),
    "Customer Refund": ("customerRefund",),
    "Items": ("item",),
    "Accounting Lists": ("term",),
    "Tax Records": ("salesTaxItem",),
    "Subsidiaries": ("subsidiary",),
    "Currency": ("currency",),
    "Custom Body Fields": (),
    "Custom Record Entries": ("customrecord",),
}
"""Permissions that open no kind of record here are checked by no simulated call."""


def permissions_of(ticked: Iterable[tuple[str, str]]) -> dict[str, str]:
    """What `Simulator.set_role` takes. ticked: names and levels, as on NetSuite's page of a role.

    Raises: KeyError for a name that the page does not have.
    """
    return {kind: VIEW if level == "View" else FULL for name, level in ticked for kind in OPENS[name]}
