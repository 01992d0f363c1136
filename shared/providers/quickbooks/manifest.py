"""What this product needs to know about QuickBooks Online before it talks to it: data, read by pages and wiring."""

from __future__ import annotations

from typing import Literal

from shared.domain.values import dataclass
from shared.providers.quickbooks.catalogue import CATALOGUE
from shared.providers.words import Problem, Scope, Step


@dataclass(frozen=True, slots=True)
class Endpoints:
    """The addresses of Intuit's OAuth 2.0 server, and the root of the Accounting API."""

    authorization: str
    token: str
    revocation: str
    api: str

    @classmethod
    def under(cls, root_url: str) -> Endpoints:
        """Intuit's own paths on one server, which is how a simulated QuickBooks has them."""
        root = root_url.rstrip("/")
        return cls(
            authorization=f"{root}/connect/oauth2",
            token=f"{root}/oauth2/v1/tokens/bearer",
            revocation=f"{root}/v2/oauth2/tokens/revoke",
            api=root,
        )


@dataclass(frozen=True, slots=True)
class Manifest:
    """A provider in data. sandbox: the same endpoints for companies that are not real."""

    id: str
    name: str
    auth: Literal["oauth2_code"]
    endpoints: Endpoints
    sandbox: Endpoints
    scopes: tuple[Scope, ...]
    setup: tuple[Step, ...]
    docs: tuple[str, ...]
    errors: tuple[Problem, ...]


_DASHBOARD = "https://developer.intuit.com/dashboard"
_SETTINGS = "https://qbo.intuit.com/app/accountsettings"
_DOCS = "https://developer.intuit.com/app/developer/qbo/docs"


def _endpoints(api: str) -> Endpoints:
    """Companies and sandboxes share one OAuth server; the keys decide which of both they open."""
    return Endpoints(
        authorization="https://appcenter.intuit.com/connect/oauth2",
        token="https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer",  # noqa: S106 - an address, not a secret
        revocation="https://developer.api.intuit.com/v2/oauth2/tokens/revoke",
        api=api,
    )


MANIFEST = Manifest(
    id="quickbooks",
    name="QuickBooks Online",
    auth="oauth2_code",
    endpoints=_endpoints("https://quickbooks.api.intuit.com"),
    sandbox=_endpoints("https://sandbox-quickbooks.api.intuit.com"),
    scopes=(
        Scope(
            "com.intuit.quickbooks.accounting",
            "ledger",
            "To make invoices for won deals and to see when they are paid. Intuit has no narrower permission.",
        ),
    ),
    setup=(
        Step(
            "Create an app at Intuit",
            "Choose QuickBooks Online and Payments, and the scope com.intuit.quickbooks.accounting.",
            _DASHBOARD,
        ),
        Step(
            "Register the redirect address",
            "Paste the redirect address of the set-up page exactly, once under development and once under production.",
            _DASHBOARD,
        ),
        Step(
            "Answer the App Assessment",
            "Production keys are given only after Intuit has approved the questionnaire. Development keys open sandbox "
            "companies at once.",
            _DASHBOARD,
        ),
        Step(
            "Enter client id and secret",
            "The production pair for real companies, the development pair for sandboxes.",
            _DASHBOARD,
        ),
        Step(
            "Subscribe to webhooks",
            "Paste the webhook address of the set-up page, choose Customer, Invoice, Payment, Credit Memo and Refund "
            "Receipt, and enter the verifier token that Intuit then shows. The format CloudEvents is preferred; the "
            "older one is read too.",
            _DASHBOARD,
        ),
        Step(
            "Switch on custom transaction numbers",
            "In the company: Account and settings > Sales > Sales form content. Without them an invoice whose answer "
            "was lost could not be found again by our number.",
            _SETTINGS,
        ),
        Step(
            "Switch on discounts",
            "On the same page, if quotes may have a discount on the whole: QuickBooks refuses such invoices otherwise.",
            _SETTINGS,
        ),
    ),
    docs=(
        f"{_DOCS}/develop/authentication-and-authorization/oauth-2.0",
        f"{_DOCS}/api/accounting/all-entities/invoice",
        f"{_DOCS}/api/accounting/all-entities/payment",
        f"{_DOCS}/learn/explore-the-quickbooks-online-api/data-queries",
        f"{_DOCS}/learn/explore-the-quickbooks-online-api/change-data-capture",
        f"{_DOCS}/develop/webhooks",
    ),
    errors=CATALOGUE,
)

SCOPES: tuple[str, ...] = tuple(scope.name for scope in MANIFEST.scopes)
