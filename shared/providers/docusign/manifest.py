"""What this product needs to know about DocuSign before it talks to it: data, read by pages, set-up and wiring."""

from __future__ import annotations

from typing import Literal

from shared.domain.values import dataclass
from shared.providers.docusign.catalogue import CATALOGUE
from shared.providers.words import Problem, Scope, Step


@dataclass(frozen=True, slots=True)
class Endpoints:
    """The addresses of an account server. The API's own address comes from userinfo, never from here.

    production: envelopes count and bind; not a sandbox.
    """

    authorization: str
    token: str
    userinfo: str
    revocation: str
    production: bool

    @classmethod
    def under(cls, root_url: str, *, production: bool = False) -> Endpoints:
        """DocuSign's own paths on one server."""
        oauth = f"{root_url.rstrip('/')}/oauth"
        return cls(f"{oauth}/auth", f"{oauth}/token", f"{oauth}/userinfo", f"{oauth}/revoke", production)


PRODUCTION = Endpoints.under("https://account.docusign.com", production=True)
SANDBOX = Endpoints.under("https://account-d.docusign.com")


@dataclass(frozen=True, slots=True)
class Manifest:
    """A provider in data. endpoints: of the live environment; sandbox: of the developer environment."""

    id: str
    name: str
    auth: Literal["oauth2_code"]
    endpoints: Endpoints
    sandbox: Endpoints
    scopes: tuple[Scope, ...]
    precedence: tuple[Literal["personal", "organization"], ...]
    setup: tuple[Step, ...]
    docs: tuple[str, ...]
    errors: tuple[Problem, ...]


_APPS = "https://apps.docusign.com/admin/apps-and-keys"

MANIFEST = Manifest(
    id="docusign",
    name="DocuSign eSignature",
    auth="oauth2_code",
    endpoints=PRODUCTION,
    sandbox=SANDBOX,
    scopes=(
        Scope("signature", "signing", "To send contracts for signature and to read how far they are."),
        Scope("extended", "signing", "To stay connected longer than 30 days."),
    ),
    precedence=("organization",),
    setup=(
        Step(
            "Create an integration key",
            "Admin > Apps and Keys > Add App and Integration Key. Authentication: Authorization Code Grant, with a "
            "secret. A sandbox key works in the sandbox only; going live needs DocuSign's review of 20 calls without "
            "errors.",
            _APPS,
        ),
        Step(
            "Add the redirect address",
            "Paste the redirect address of the set-up page exactly, then enter the integration key and secret there.",
            _APPS,
        ),
        Step(
            "Turn on Connect",
            "Admin > Connect must be part of the plan. No configuration is made there: each envelope carries its own.",
            "https://apps.docusign.com/admin/connect",
        ),
        Step(
            "Create a Connect HMAC key",
            "Admin > Connect > Connect Keys > Add Secret Key. Enter it on the set-up page. While keys change, enter "
            "the old and the new one: a notice that fits any of them is accepted.",
            "https://apps.docusign.com/admin/connect-keys",
        ),
        Step(
            "Label the fields of your templates",
            "A field is filled in by its Data Label, and a signer by the role's name. Both must match exactly.",
            "https://apps.docusign.com/templates",
        ),
    ),
    docs=(
        "https://developers.docusign.com/platform/auth/authcode/",
        "https://developers.docusign.com/docs/esign-rest-api/reference/envelopes/envelopes/create/",
        "https://developers.docusign.com/platform/webhooks/connect/json-sim-event-model/",
        "https://developers.docusign.com/docs/esign-rest-api/esign101/rules-and-limits/",
    ),
    errors=CATALOGUE,
)

SCOPES: tuple[str, ...] = tuple(scope.name for scope in MANIFEST.scopes)

JWT_SCOPES: tuple[str, ...] = ("signature", "impersonation")
"""What the second way asks for: acting for a user who is not there (JWT grant)."""
