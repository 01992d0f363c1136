"""The scene: the same deal twice, once with QuickBooks and once with NetSuite, each told as one traceable chain."""

from __future__ import annotations

from pathlib import Path

from local.run.cash.chain_table import chain_table
from local.run.cash.contracting import send_and_sign
from local.run.cash.deal import DealPages
from local.run.cash.invoicing import invoice_and_pay
from local.run.cash.ledgers import Books, NetsuiteBooks, QuickBooksBooks
from local.run.cash.people import open_sellers
from local.run.cash.quoting import quote_and_accept
from local.run.cash.setup import connect_ledger, connect_signing, map_ledger
from local.run.cash.signing import DocuSign
from local.run.cash.vendor import Vendor
from local.run.http import Http
from local.run.screen import Screen
from local.run.starting import Cloud
from local.sample.cash import LedgerKind, Sale


def play_sale(cloud: Cloud, sale: Sale, data: Path, screen: Screen) -> None:
    """Play one organization's deal from quote to cash; every step is waited for and checked.

    Raises: NotSeenError, RefusedError.
    """
    docusign, books = DocuSign(Vendor(Http(), cloud.docusign_url)), _books(cloud, sale)
    sellers = open_sellers(cloud, sale, data)
    deal = DealPages(sellers.seller.product, sellers.finance.product, sale.deal_id)
    screen.done(
        f"{sale.deal_name}: a deal of {sellers.seller.user.name}", f"{sale.name} sells to {sellers.company_name}"
    )
    connect_signing(sellers, docusign, cloud.functions_url, screen)
    connection = connect_ledger(sellers, books, screen)
    map_ledger(sellers, books, connection, screen)
    quote_and_accept(sellers, deal, screen)
    send_and_sign(sellers, deal, docusign, screen)
    invoice_and_pay(sellers, deal, books, screen)
    screen.show(chain_table(deal.table()))


def _books(cloud: Cloud, sale: Sale) -> Books:
    if sale.ledger is LedgerKind.QUICKBOOKS:
        return QuickBooksBooks(Vendor(Http(), cloud.quickbooks_url), sale.books, cloud.functions_url)
    poll_url = f"{cloud.scheduler_url}/run?job=netsuite_poll"
    return NetsuiteBooks(Vendor(Http(), cloud.netsuite_url), sale.books, poll_url)
