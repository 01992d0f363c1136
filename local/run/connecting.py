"""Step 2: the organization, its people, its contacts, and each mailbox through the real OAuth redirects."""

from __future__ import annotations

import json
import time
from pathlib import Path

from local.cloud.environment import oauth_client_file
from local.identity.users import DemoUser, write_users
from local.run.browser import Browser
from local.run.cast import Cast, Member
from local.run.google import Google
from local.run.http import Http
from local.run.material import Company, Material, MaterialError
from local.run.organization import create_organization, type_in_contact
from local.run.product import Product
from local.run.rows import Rows
from local.run.screen import Screen
from local.run.starting import Cloud
from shared import wiring


def open_company(cloud: Cloud, material: Material, data: Path, screen: Screen) -> Cast:
    """Fill the mailboxes at Google, create the organization, sign its people in, and import the contacts.

    Raises: MaterialError, RefusedError.
    """
    http = Http()
    client_id = json.loads(oauth_client_file(data).read_text())["web"]["client_id"]
    google = Google(http, cloud.google_url, client_id)
    filled = material.fill(google)
    company = material.company()
    screen.done(f"{filled.mails} mails and {filled.events} events lie at Google", _left_out(filled.left_out))
    for sentence in filled.left_out[:5]:
        screen.line(f"left out: {sentence}")
    store = wiring.store(company.tenant)
    create_organization(store, company)
    write_users(data, tuple(_signing_in(company)))
    screen.done(f"organization {company.name}", ", ".join(person.user.name for person in company.people))
    members = tuple(_sign_in(http, cloud, company))
    cast = Cast(company, members, google, Rows(store))
    screen.done(f"{cast.reader.name} signed in", cast.reader.person.user.role.value.replace("_", " "))
    _import_contacts(cast, material, screen)
    return cast


def connect_mailboxes(cloud: Cloud, cast: Cast, screen: Screen) -> dict[Member, float]:
    """Every person goes to Google, ticks what is asked, and comes back.

    Returns: when each was connected, by the monotonic clock.
    Raises: RefusedError.
    """
    connected_at_s: dict[Member, float] = {}
    for member in cast.members:
        browser = Browser(Http())
        token = browser.sign_in(cloud.identity_url, member.user_id)
        consent = browser.connect(
            f"{cloud.functions_url}/oauth_start",
            token,
            choices=(("user", member.email), ("decision", "allow")),
            lands_below=f"{cloud.functions_url}/connections/",
        )
        asked = ", ".join(scope.rpartition("/")[2] for scope in consent.scopes)
        connected_at_s[member] = time.monotonic()
        screen.done(f"{member.email} connected:", asked)
    return connected_at_s


def _import_contacts(cast: Cast, material: Material, screen: Screen) -> None:
    new = updated = 0
    for csv in material.contact_files():
        result = cast.reader.product.import_contacts(csv)
        new += result["new"]
        updated += result["updated"]
        for error in result["errors"][:5]:
            screen.line(f"{error['sentence']}")
    typed = list(material.typed_contacts())
    for contact in typed:
        type_in_contact(cast.rows.store, contact, actor=cast.reader.user_id)
    if new + updated + len(typed) == 0:
        raise MaterialError("there is not one contact, and so no timeline: name a file with CONTACTS=")
    by_hand = f", {len(typed)} typed in by hand" if typed else ""
    screen.done(f"{new} contacts imported from CSV{by_hand}")
    if remark := material.remark():
        screen.line(f"{remark}")


def _sign_in(http: Http, cloud: Cloud, company: Company) -> list[Member]:
    browser = Browser(http)
    return [
        Member(person, Product(http, cloud.functions_url, browser.sign_in(cloud.identity_url, person.user.user_id)))
        for person in company.people
    ]


def _signing_in(company: Company) -> list[DemoUser]:
    return [
        DemoUser(person.user.user_id, person.user.email, person.user.name, company.tenant, person.user.role.value)
        for person in company.people
    ]


def _left_out(sentences: tuple[str, ...]) -> str:
    return f"{len(sentences)} could not be put there" if sentences else ""
