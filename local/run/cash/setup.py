"""What an administrator does once: DocuSign and the ledger are connected and mapped, and the switch is turned on."""

from __future__ import annotations

from typing import Any

from local.run.cash.ledgers import Books
from local.run.cash.people import PIPELINE, Sellers
from local.run.cash.signing import LABELS, DocuSign, SigningAccount
from local.run.http import RefusedError
from local.run.screen import Screen
from local.run.waiting import NotSeenError, until

OPENED_WITHIN_S = 60.0
LOOK_EVERY_S = 0.1
CHOICES = ("item", "account", "term", "tax_code", "subsidiary")


def connect_signing(sellers: Sellers, docusign: DocuSign, functions_url: str, screen: Screen) -> None:
    """Raises: RefusedError, NotSeenError."""
    admin, kind = sellers.admin, sellers.sale.contract_type
    account = docusign.open_account(sellers.sale.name, admin.user, kind["name"])
    admin.browser.connect(
        f"{functions_url}/oauth_start?provider=docusign",
        admin.id_token,
        choices=(("user", account.user_id), ("decision", "allow")),
        lands_below=f"{functions_url}/connections/",
    )
    page = until(
        lambda: _opened(sellers), "the account on the set-up page", within_s=OPENED_WITHIN_S, every_s=LOOK_EVERY_S
    )
    screen.done(f"{admin.user.name} connected DocuSign:", f"account {page['account']['name']}, {page['environment']}")
    page = _map_contracts(sellers, account)
    if page["problems"]:
        raise NotSeenError(f"a DocuSign set-up without problems ({page['problems'][0]})")
    fields = ", ".join(LABELS.values())
    screen.done(f'template "{kind["name"]}" mapped:', f"{fields} are filled in; the deal's signer, then {_us(sellers)}")


def _opened(sellers: Sellers) -> dict[str, Any] | None:
    try:
        page = sellers.admin.product.get("signing_setup")
    except RefusedError as refused:
        if refused.status != 404:
            raise
        return None  # what follows the connecting has not begun
    return page if page["account"] else None


def _map_contracts(sellers: Sellers, account: SigningAccount) -> dict[str, Any]:
    kind, post = sellers.sale.contract_type, sellers.admin.product.post
    post("signing_setup", {"keys": [account.key], "refresh_templates": True})
    countersigner = {"role": "Countersigner", "side": "us", "user": sellers.countersigner.user_id}
    return post(
        "signing_setup",
        {
            "contract_type": {
                **kind,
                "roles": [{"role": "Customer", "side": "customer"}, countersigner],
                "templates": [{"id": account.template_id, "name": kind["name"], "prefill": {"Customer": LABELS}}],
            }
        },
    )


def _us(sellers: Sellers) -> str:
    return f"{sellers.countersigner.name} for us"


def connect_ledger(sellers: Sellers, books: Books, screen: Screen) -> str:
    """Returns: the connection's id. Raises: RefusedError, NotSeenError."""
    finance = sellers.finance
    connection, how = books.connect(finance)

    def company() -> str | None:
        try:
            told = finance.product.get("ledger_mapping", action="settings", connection=connection)
        except RefusedError as refused:
            if refused.status != 404:
                raise
            return None
        return str(told["data"]["company"]["name"])

    name = until(company, f"the company in {books.name}", within_s=OPENED_WITHIN_S, every_s=LOOK_EVERY_S)
    if name != sellers.sale.books.company:
        raise NotSeenError(f"the company {sellers.sale.books.company} in {books.name}")
    screen.done(f"{finance.user.name} connected {books.name}:", how)
    return connection


def map_ledger(sellers: Sellers, books: Books, connection: str, screen: Screen) -> None:
    """Customer, products, terms and taxes; then invoices by themselves. Raises: RefusedError, NotSeenError."""
    finance = sellers.finance.product
    switch = {"connection": connection, "action": "switch", "pipeline": PIPELINE, "on": True}
    if not _refused(lambda: finance.post("ledger_mapping", switch)):
        raise NotSeenError("a switch that waits until the mapping was reviewed")
    _map_customer(sellers, books, connection, screen)
    items = _map_items(sellers, connection)
    offered = finance.get("ledger_mapping", action="choices", connection=connection)["data"]
    choices = books.choices({kind: offered.get(kind, []) for kind in CHOICES})
    finance.post("ledger_mapping", {"connection": connection, "action": "save", "items": items, **choices})
    finance.post("ledger_mapping", {"connection": connection, "action": "reviewed"})
    _run_by_hand(sellers, connection)
    finance.post("ledger_mapping", switch)
    screen.done(f"{len(items)} products, {sellers.sale.books.term} and tax mapped", "won deals invoice themselves")


def _run_by_hand(sellers: Sellers, connection: str) -> None:
    """The switch waits for it. Nothing was quoted yet, so there is nothing to see."""
    asked = {"connection": connection, "action": "run", "pipeline": PIPELINE}
    if [row for row in sellers.finance.product.post("ledger_mapping", asked)["data"] if row["missing"]]:
        raise NotSeenError("a run by hand that misses nothing")


def _map_customer(sellers: Sellers, books: Books, connection: str, screen: Screen) -> None:
    finance = sellers.finance.product
    rows = finance.get("ledger_mapping", action="customers", connection=connection)["data"]["rows"]
    row = next((one for one in rows if one["key"] == sellers.company_id), None)
    if row is None or row["state"] != "suggested":
        raise NotSeenError(f"a suggestion which customer {sellers.company_name} is in {books.name}")
    best = row["candidates"][0]
    decision = {"key": sellers.company_id, "decision": "accept", "customer": best["id"], "percent": best["percent"]}
    finance.post("ledger_mapping", {"connection": connection, "action": "decide", **decision})
    screen.done(f"{sellers.company_name} is {best['name']}", f"{best['percent']} % alike, accepted")


def _map_items(sellers: Sellers, connection: str) -> dict[str, str]:
    """The ledger's item for each product, as suggested by name."""
    products = {line["product"]: line["description"] for line in sellers.sale.quote["lines"]}
    asked = {"connection": connection, "action": "items", "products": products}
    rows = sellers.finance.product.post("ledger_mapping", asked)["data"]
    if unsure := [row["name"] for row in rows if row["state"] != "suggested"]:
        raise NotSeenError(f"a suggestion which item {unsure[0]} is")
    return {row["key"]: row["candidates"][0]["id"] for row in rows}


def _refused(ask: Any) -> bool:
    try:
        ask()
    except RefusedError as refused:
        return refused.status == 400
    return False
