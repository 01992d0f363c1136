"""What is sold in the sample: the sums are the product's own, and everybody in it is somebody."""

from __future__ import annotations

from pathlib import Path
from shutil import copytree

import pytest

from local.sample.cash import FOLDER, LedgerKind, Sale, load_sales
from shared.cash_input import quote_draft
from shared.csv_table import read_table
from shared.domain.cash.quote import Quote
from shared.domain.people import Role

SALES = {sale.tenant: sale for sale in load_sales()}


@pytest.fixture(params=SALES)
def sale(request: pytest.FixtureRequest) -> Sale:
    return SALES[request.param]


def test_two_organizations_sell_each_with_its_own_ledger() -> None:
    assert {sale.ledger for sale in SALES.values()} == set(LedgerKind)


def test_the_quote_comes_to_what_is_expected(sale: Sale) -> None:
    draft = quote_draft({"deal": sale.deal_id, "contact": "c-1", **sale.quote})
    quote = Quote(
        "q-1",
        "QT-1",
        sale.deal_id,
        "c-1",
        draft.currency,
        draft.lines,
        tax_percent=draft.tax_percent,
        discount_amount=draft.discount_amount,
    )

    assert quote.totals.total.minor == sale.expected_total_minor == 2_268_000
    assert quote.totals.tax.minor == sale.expected_tax_minor
    assert tuple(line.amount.minor for line in quote.lines) == sale.expected_lines_minor


def test_the_customer_pays_in_parts_that_come_to_the_total(sale: Sale) -> None:
    assert len(sale.payments_minor) == 2
    assert sum(sale.payments_minor) == sale.expected_total_minor


def test_who_accepts_and_who_signs_are_two_contacts_of_one_company(sale: Sale) -> None:
    rows = {row["Email"]: row["Company"] for row in read_table(sale.contacts_csv).rows}

    assert sale.buyer != sale.signer
    assert rows[sale.buyer] == rows[sale.signer]


def test_each_does_what_its_role_may(sale: Sale) -> None:
    assert sale.user(sale.admin_id).role is Role.ADMIN
    assert sale.user(sale.finance_id).role is Role.FINANCE
    assert sale.user(sale.seller_id).role is Role.SALES_REP
    assert sale.countersigner_id in {user.user_id for user in sale.users}


def test_payments_that_do_not_come_to_the_total_are_told(tmp_path: Path) -> None:
    folder = copytree(FOLDER, tmp_path / "sample")
    text = (folder / "cash.yaml").read_text()
    (folder / "cash.yaml").write_text(text.replace("payments: [1000000,", "payments: [1,"))

    with pytest.raises(ValueError, match="the payments of birchline do not come to the total"):
        load_sales(folder)
