"""What people do at the simulated DocuSign: an account, a template, signatures by mail, and unruly notices."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from local.run.browser import Browser
from local.run.cash.vendor import Vendor
from local.run.http import Http
from local.run.waiting import until
from shared.domain.people import User

MAILED_WITHIN_S = 30.0

LABELS = {
    "Company": "company.name",
    "Contact": "contact.name",
    "Project": "deal.name",
    "Amount": "quote.total",
}
"""Data labels of the template's fields, and which of our fields fills each."""

_TEXT = (
    "Agreement with {Company}",
    "",
    "Subject: {Project}. Price: {Amount}.",
    "Whom to ask: {Contact}.",
)


@dataclass(frozen=True, slots=True)
class SigningAccount:
    """An organization's account. key: its Connect key, with which notices are signed."""

    account_id: str
    user_id: str
    template_id: str
    key: str


@dataclass(frozen=True, slots=True)
class Notices:
    """What Connect did. delivered: posts that the product acknowledged. distinct: what there was to tell. late: posts
    that came after a later one of the same envelope."""

    delivered: int
    distinct: int
    late: int


class DocuSign:
    def __init__(self, vendor: Vendor) -> None:
        self._vendor = vendor

    def open_account(self, name: str, owner: User, template_name: str) -> SigningAccount:
        """An account whose owner may connect it, with one template for a customer and a countersigner."""
        key = secrets.token_urlsafe(32)
        account = str(self._vendor.do("accounts", {"name": name, "hmac_keys": [key]})["account_id"])
        user = self._vendor.do("users", {"name": owner.name, "email": owner.email, "accounts": [account]})["user_id"]
        tabs = dict.fromkeys(LABELS, "textTabs")
        template = {
            "account_id": account,
            "name": template_name,
            "text": list(_TEXT),
            "roles": [{"name": "Customer", "order": 1, "tabs": tabs}, {"name": "Countersigner", "order": 2}],
        }
        return SigningAccount(account, str(user), str(self._vendor.do("templates", template)["template_id"]), key)

    def misbehave(self) -> None:
        """From now on the notices of one envelope come twice, and signatures are told after what followed them."""
        self._vendor.do("connect", {"next": "reorder", "event": "recipient-completed", "times": 2})
        for event in ("envelope-sent", "recipient-sent", "recipient-delivered", "envelope-completed"):
            self._vendor.do("connect", {"next": "double", "event": event, "times": 1})

    def envelopes_for(self, email: str) -> list[dict[str, Any]]:
        """Envelopes that this person is asked to sign."""
        found = self._vendor.ask("envelopes")["envelopes"]
        return [one for one in found if email in [signer["email"] for signer in one["recipients"]["signers"]]]

    def sign(self, envelope_id: str, email: str) -> None:
        """Wait for the mail, open its link, read the document, press the button. Raises: NotSeenError, RefusedError."""

        def mailed() -> str | None:
            mails = self._vendor.ask("mails")["mails"]
            return next(
                (str(one["key"]) for one in mails if (one["to"], one["envelope"]) == (email, envelope_id)), None
            )

        key = until(mailed, f"the mail that asks {email} to sign", within_s=MAILED_WITHIN_S, every_s=0.1)
        Browser(Http()).press(f"{self._vendor.root}/signing/{key}", ("action", "sign"))

    def notices(self, envelope_id: str) -> Notices | None:
        """None while one is still on its way."""
        told = self._vendor.ask("connect")
        if told["waiting"]:
            return None
        posts = [
            (str(line["happened"]), str(line["event"]))
            for line in told["log"]
            if line["envelope"] == envelope_id and line["outcome"] == "delivered"
        ]
        late = sum(happened < max((one for one, _ in posts[:at]), default="") for at, (happened, _) in enumerate(posts))
        return Notices(len(posts), len(set(posts)), late)
