"""What this product needs to know about Google before it talks to it: data, read by pages, set-up and wiring."""

from __future__ import annotations

from typing import Literal

from shared.domain.values import dataclass
from shared.providers.google.catalogue import CATALOGUE
from shared.providers.words import Problem, Scope, Step


@dataclass(frozen=True, slots=True)
class Endpoints:
    """The addresses of an OAuth 2.0 server. certs: its keys as a JWK Set."""

    authorization: str
    token: str
    revocation: str
    certs: str

    @classmethod
    def under(cls, root_url: str) -> Endpoints:
        """Google's own paths on one server, which is how a simulated Google has them."""
        root = root_url.rstrip("/")
        return cls(f"{root}/o/oauth2/v2/auth", f"{root}/token", f"{root}/revoke", f"{root}/oauth2/v3/certs")


@dataclass(frozen=True, slots=True)
class Manifest:
    """A provider in data. precedence: which connection serves a user who has both."""

    id: str
    name: str
    auth: Literal["oauth2_code"]
    endpoints: Endpoints
    scopes: tuple[Scope, ...]
    precedence: tuple[Literal["personal", "organization"], ...]
    setup: tuple[Step, ...]
    docs: tuple[str, ...]
    errors: tuple[Problem, ...]


_AUTH = "https://www.googleapis.com/auth"
_CONSOLE = "https://console.cloud.google.com"

GMAIL_READ = f"{_AUTH}/gmail.readonly"
CALENDAR_READ = f"{_AUTH}/calendar.readonly"

_ALIASES = {f"{_AUTH}/userinfo.email": "email", f"{_AUTH}/userinfo.profile": "profile"}


def canonical_scope(scope: str) -> str:
    """The name this manifest uses. Google answers `email` with a longer name than it was asked for."""
    return _ALIASES.get(scope, scope)


MANIFEST = Manifest(
    id="google",
    name="Google Workspace and Gmail",
    auth="oauth2_code",
    endpoints=Endpoints(
        authorization="https://accounts.google.com/o/oauth2/v2/auth",
        token="https://oauth2.googleapis.com/token",  # noqa: S106 - an address, not a secret
        revocation="https://oauth2.googleapis.com/revoke",
        certs="https://www.googleapis.com/oauth2/v3/certs",
    ),
    # This version only reads, so it asks for reading only; nothing at Google can be changed or sent with these.
    scopes=(
        Scope("openid", "sign_in", "To know which Google account was connected."),
        Scope("email", "sign_in", "To see the account's address."),
        Scope(GMAIL_READ, "mail", "To read mail, so that conversations with customers appear on their timelines."),
        Scope(
            CALENDAR_READ, "calendar", "To read calendars, so that meetings with customers appear on their timelines."
        ),
    ),
    precedence=("personal", "organization"),
    setup=(
        Step(
            "Create a Google Cloud project",
            "Use the one this product runs in: Gmail publishes only to topics in the OAuth client's own project.",
            f"{_CONSOLE}/projectcreate",
        ),
        Step(
            "Enable the Gmail API and the Google Calendar API",
            "Both, in that project. It takes effect within a few minutes.",
            f"{_CONSOLE}/apis/library",
        ),
        Step(
            "Set up the consent screen",
            "User type Internal needs no review and serves the accounts of one organization. External in status "
            "Testing ends every connection after seven days: publish it.",
            f"{_CONSOLE}/auth/branding",
        ),
        Step(
            "Create an OAuth client",
            "Type: web application. Paste the redirect address of the set-up page exactly, then enter the client id "
            "and secret there.",
            f"{_CONSOLE}/auth/clients",
        ),
        Step(
            "Let Gmail publish",
            "Give gmail-api-push@system.gserviceaccount.com the role Pub/Sub Publisher on the topic gmail-push. An "
            "organization policy for domain restricted sharing needs an exception for it.",
            f"{_CONSOLE}/cloudpubsub/topic/list",
        ),
    ),
    docs=(
        "https://developers.google.com/identity/protocols/oauth2/web-server",
        "https://developers.google.com/workspace/gmail/api/guides/push",
        "https://developers.google.com/workspace/gmail/api/guides/sync",
        "https://developers.google.com/workspace/calendar/api/guides/sync",
        "https://developers.google.com/workspace/calendar/api/guides/push",
    ),
    errors=CATALOGUE,
)

SCOPES: tuple[str, ...] = tuple(scope.name for scope in MANIFEST.scopes)


def refused_features(granted: frozenset[str]) -> frozenset[str]:
    """The features the person unticked: what must be switched off, and said.

    Args:
        granted: scopes as `Grant` carries them.
    """
    return frozenset(scope.feature for scope in MANIFEST.scopes if scope.name not in granted) - {"sign_in"}
