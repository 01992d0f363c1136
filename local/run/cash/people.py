"""The organization that sells, and its people. Users, the pipeline and the deal are written straight to the store: the
product has no function for them yet."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

from local.identity.users import DemoUser, read_users, write_users
from local.run.browser import Browser
from local.run.http import Http
from local.run.organization import user_writes
from local.run.product import Product
from local.run.rows import Rows
from local.run.starting import Cloud
from local.sample.cash import Sale
from shared import wiring
from shared.domain.cash.deal import ContactRole, Deal, DealContact, Pipeline, Stage
from shared.domain.cash.money import from_decimal
from shared.domain.people import Contact, User
from shared.domain.settings import Organization
from shared.records.addresses import Addresses
from shared.records.cash import CashRecords
from shared.records.organizations import PATH, Organizations
from shared.records.people import Companies, Users
from shared.records.store import TenantStore

PIPELINE = "sales"
WON = "won"
_STAGES = (Stage("negotiation", "Negotiation", 60), Stage(WON, "Closed Won", 100), Stage("lost", "Closed Lost", 0))


@dataclass(frozen=True, slots=True)
class Colleague:
    """One of us, signed in."""

    user: User
    product: Product
    browser: Browser
    id_token: str


@dataclass(frozen=True, slots=True)
class Sellers:
    """buyer, signer: contacts of the company that buys."""

    sale: Sale
    store: TenantStore
    admin: Colleague
    finance: Colleague
    seller: Colleague
    buyer: Contact
    signer: Contact
    company_id: str
    company_name: str

    @property
    def countersigner(self) -> User:
        return self.sale.user(self.sale.countersigner_id)


def open_sellers(cloud: Cloud, sale: Sale, data: Path) -> Sellers:
    """Found the organization unless it is there, sign its people in, import its contacts, and open the deal.

    Raises: RefusedError.
    """
    store = wiring.store(sale.tenant)
    if store.get(PATH) is None:
        store.commit([Organizations(store).creating(Organization(sale.tenant, sale.name, secrets.token_bytes(32)))])
    _add_users(store, sale, data)
    signing_in = (sale.admin_id, sale.finance_id, sale.seller_id)
    admin, finance, seller = (_sign_in(cloud, sale.user(user_id)) for user_id in signing_in)
    if _contact(store, sale.buyer) is None:
        seller.product.import_contacts(sale.contacts_csv)
    buyer, signer = (_require_contact(store, email) for email in (sale.buyer, sale.signer))
    company = Companies(store).get(buyer.company_ids[0])
    sellers = Sellers(sale, store, admin, finance, seller, buyer, signer, company.company_id, company.name)
    _open_deal(sellers)
    return sellers


def _add_users(store: TenantStore, sale: Sale, data: Path) -> None:
    organization = Organizations(store).get()
    addresses = Addresses(store, organization.index_key)
    for user in sale.users:
        if Users(store).find(user.user_id) is None:
            store.commit(user_writes(store, addresses, user))
    known = {user.user_id: user for user in read_users(data)}
    added = {one.user_id: DemoUser(one.user_id, one.email, one.name, sale.tenant, one.role.value) for one in sale.users}
    write_users(data, tuple({**known, **added}.values()))


def _sign_in(cloud: Cloud, user: User) -> Colleague:
    http = Http()
    browser = Browser(http)
    token = browser.sign_in(cloud.identity_url, user.user_id)
    return Colleague(user, Product(http, cloud.functions_url, token), browser, token)


def _open_deal(sellers: Sellers) -> None:
    sale, records = sellers.sale, CashRecords(sellers.store)
    people = (
        DealContact(sellers.buyer.contact_id, ContactRole.BUYER),
        DealContact(sellers.signer.contact_id, ContactRole.SIGNER),
    )
    deal = Deal(
        deal_id=sale.deal_id,
        name=sale.deal_name,
        pipeline_id=PIPELINE,
        stage=_STAGES[0].stage_id,
        amount=from_decimal(sale.deal_amount, sale.quote["currency"]),
        owner_id=sellers.seller.user.user_id,
        company_id=sellers.company_id,
        contacts=people,
    )
    pipeline = Pipeline(PIPELINE, "Sales", _STAGES, WON, "lost")
    sellers.store.commit([records.pipelines.creating(PIPELINE, pipeline), records.deals.creating(deal.deal_id, deal)])


def _contact(store: TenantStore, email: str) -> Contact | None:
    return next((one.contact for one in Rows(store).contacts() if email in one.contact.emails), None)


def _require_contact(store: TenantStore, email: str) -> Contact:
    found = _contact(store, email)
    if found is None or not found.company_ids:
        raise ValueError(f"{email} is no contact with a company: see local/sample/cash.yaml")
    return found
