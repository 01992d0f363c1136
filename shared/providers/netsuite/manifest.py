"""What this product needs to know about NetSuite before it talks to it: data, read by pages, set-up and wiring."""

from __future__ import annotations

from typing import Literal

from shared.domain.values import dataclass
from shared.providers.netsuite.catalogue import CATALOGUE
from shared.providers.words import Problem, Step

PROVIDER = "netsuite"
SCOPE = "rest_webservices"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
TRACE_HEADER = "x-n-operationid"
"""NetSuite's own id of a call, which its support asks for; in lower case, as `Answer` has header names."""


@dataclass(frozen=True, slots=True)
class Credential:
    """A value the administrator enters. secret: sealed, and never shown again."""

    name: str
    label: str
    secret: bool


@dataclass(frozen=True, slots=True)
class WayIn:
    """One way to connect, in the order in which they are offered."""

    id: Literal["oauth2_client_credentials", "oauth1_tokens"]
    name: str
    credentials: tuple[Credential, ...]
    note: str


@dataclass(frozen=True, slots=True)
class Permission:
    """A permission of the role. reason: one line for the administrator."""

    name: str
    level: Literal["View", "Create", "Edit", "Full"]
    reason: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """A provider in data."""

    id: str
    name: str
    ways: tuple[WayIn, ...]
    permissions: tuple[Permission, ...]
    setup: tuple[Step, ...]
    docs: tuple[str, ...]
    errors: tuple[Problem, ...]


_HELP = "https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help"
_ACCOUNT_ID = Credential("account_id", "Account ID", secret=False)

MANIFEST = Manifest(
    id=PROVIDER,
    name="Oracle NetSuite",
    ways=(
        WayIn(
            "oauth2_client_credentials",
            "OAuth 2.0 with a certificate",
            (
                _ACCOUNT_ID,
                Credential("client_id", "Client ID of the integration", secret=False),
                Credential("certificate_id", "Certificate ID of the mapping", secret=False),
                Credential("private_key", "Private key (PEM)", secret=True),
            ),
            "A certificate lasts two years at most; a sandbox forgets its mapping whenever it is refreshed.",
        ),
        WayIn(
            "oauth1_tokens",
            "Token-based authentication",
            (
                _ACCOUNT_ID,
                Credential("consumer_key", "Consumer key", secret=False),
                Credential("consumer_secret", "Consumer secret", secret=True),
                Credential("token_id", "Token ID", secret=False),
                Credential("token_secret", "Token secret", secret=True),
            ),
            "Only for accounts that have it already: NetSuite takes no new ones from release 2027.1 on.",
        ),
    ),
    permissions=(
        Permission("REST Web Services", "Full", "To be let in at all."),
        Permission("Log in using OAuth 2.0 Access Tokens", "Full", "To be let in with a certificate."),
        Permission("SuiteAnalytics Workbook", "View", "To find customers, invoices and what changed."),
        Permission("Customers", "Full", "To find customers, and to create those NetSuite does not know yet."),
        Permission("Invoice", "Full", "To create invoices and to see whether they are paid."),
        Permission("Customer Payment", "View", "To show payments on the deal."),
        Permission("Credit Memo", "Create", "To show credits, and to take back an invoice of ours."),
        Permission("Customer Refund", "View", "To show refunds on the deal."),
        Permission("Items", "View", "To map products."),
        Permission("Accounting Lists", "View", "To map terms of payment."),
        Permission("Tax Records", "View", "To map the tax code of invoices."),
        Permission("Subsidiaries", "View", "To choose who invoices (OneWorld accounts)."),
        Permission("Currency", "View", "To know in which currency an amount is."),
        Permission("Custom Body Fields", "View", "To map our fields to yours."),
        Permission("Custom Record Entries", "Full", "To write records of your own types, if any are mapped."),
    ),
    setup=(
        Step(
            "Switch the features on",
            "Setup > Company > Enable Features > SuiteCloud: REST Web Services, OAuth 2.0.",
            f"{_HELP}/chapter_1540391670.html",
        ),
        Step(
            "Create a role",
            "Setup > Users/Roles > Manage Roles > New, with the permissions listed on this page and nothing else. Give "
            "it to a user that exists for this connection alone.",
            f"{_HELP}/chapter_1540391670.html",
        ),
        Step(
            "Create an integration record",
            "Setup > Integration > Manage Integrations > New. Tick Client Credentials (Machine to Machine) Grant and "
            "the scope REST Web Services; copy the client ID.",
            f"{_HELP}/section_162755359851.html",
        ),
        Step(
            "Make a key and a certificate",
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 720 -keyout key.pem -out "
            "certificate.pem -subj /CN=throughline",
            f"{_HELP}/subsect_162755332391.html",
        ),
        Step(
            "Map the certificate",
            "Setup > Integration > OAuth 2.0 Client Credentials (M2M) Setup > Create New: user, role, integration, "
            "certificate.pem. Copy the certificate ID; enter it here with key.pem.",
            f"{_HELP}/section_162686838198.html",
        ),
        Step(
            "Let invoice numbers be ours",
            "Setup > Company > Auto-Generated Numbers > Transactions: Allow Override for invoices. Without it NetSuite "
            "numbers them; they are found by their external id all the same.",
            _HELP,
        ),
        Step(
            "Try it in the sandbox first",
            "Connect the sandbox account, push one invoice by hand and look at it; then connect production.",
            _HELP,
        ),
    ),
    docs=(
        f"{_HELP}/chapter_1540391670.html",
        f"{_HELP}/section_162790605110.html",
        f"{_HELP}/section_1545129726.html",
        f"{_HELP}/section_156570709583.html",
        f"{_HELP}/section_157305090645.html",
        f"{_HELP}/section_157901123882.html",
    ),
    errors=CATALOGUE,
)
