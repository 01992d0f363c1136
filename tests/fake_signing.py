"""A signing service without sockets: the product's own DocuSign adapter over the simulator's pages, called in process.

Requests, answers, notices and signatures are the vendor's real bytes; only the network between is missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import cast
from urllib.parse import urlsplit

from flask.testing import FlaskClient

from local.docusign.app import create_app
from local.docusign.connect import Disturbance, Notice
from local.docusign.envelopes import Envelope, Recipient
from local.docusign.sender import Post
from local.docusign.simulator import Simulator
from shared.domain.cash.signing import SigningAccount
from shared.errors import ProviderUnavailableError
from shared.ports.time import Chance, Clock
from shared.providers.docusign.client import DocuSignHttp
from shared.providers.docusign.signing import DocuSignSigning
from shared.providers.wire import Answer, Wire

ROOT = "http://docusign.example"
ACCOUNT = SigningAccount("aaaaaaaa-0000-4000-8000-000000000001", "Acme", f"{ROOT}/na3/restapi", True, False)
USER = "bbbbbbbb-0000-4000-8000-000000000001"
CLIENT = "00000000-0000-4000-8000-00000000c11e"
TEMPLATE = "cccccccc-0000-4000-8000-000000000001"
KEYS = ["the old Connect key", "the new Connect key"]

COMPANY = {
    "accounts": [{"account_id": ACCOUNT.account_id, "name": "Acme", "site": "na3", "hmac_keys": KEYS}],
    "users": [{"user_id": USER, "name": "Ola Sender", "email": "ola@acme.example", "accounts": [ACCOUNT.account_id]}],
    "clients": [{"client_id": CLIENT, "client_secret": "hush", "redirect_uris": ["https://crm.example/callback"]}],
    "templates": [
        {
            "template_id": TEMPLATE,
            "account_id": ACCOUNT.account_id,
            "name": "Master services agreement",
            "text": ["Between Acme and {Company}, over {Amount}."],
            "roles": [
                {"name": "Customer", "recipient_id": "41", "tabs": {"Company": "textTabs", "Amount": "textTabs"}},
                {"name": "Countersigner", "recipient_id": "7", "tabs": {}},
            ],
        }
    ],
}


@dataclass(frozen=True)
class Delivered:
    """One attempt of the vendor to deliver a notice."""

    notice: Notice
    body: bytes
    headers: Mapping[str, str]
    url: str


class Outbox:
    """Keeps what the simulator sends until a test delivers it."""

    def __init__(self) -> None:
        self.posts: list[Delivered] = []
        self._answers: list[tuple[Notice, int | None]] = []

    def send(self, post: Post) -> None:
        self.posts.append(Delivered(post.notice, post.content, post.headers, post.notice.url))

    def answer(self, delivered: Delivered, status: int) -> None:
        self._answers.append((delivered.notice, status))

    def answers(self) -> list[tuple[Notice, int | None]]:
        answers, self._answers = self._answers, []
        return answers


class _Caller:
    """Stands for the simulator of whichever wire calls."""

    simulator: Simulator

    def __getattr__(self, name: str) -> object:
        return getattr(self.simulator, name)


_CALLER = _Caller()


@cache
def _pages() -> FlaskClient:
    """One application for all simulators: making it costs more than a whole story."""
    return create_app(cast(Simulator, _CALLER)).test_client(use_cookies=False)


class ShortWire(Wire):
    """Calls the simulator's pages directly. calls: "METHOD path" of each.
    losing: calls, by how they begin, whose next answer is lost."""

    def __init__(self, simulator: Simulator) -> None:
        super().__init__()
        self.calls: list[str] = []
        self.losing: list[str] = []
        self.down = False
        self._simulator = simulator

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: str | bytes | None = None,
        call: str,
    ) -> Answer:
        if self.down:
            raise ProviderUnavailableError(f"{call} had no answer")
        parts = urlsplit(url)
        self.calls.append(f"{method} {parts.path.rpartition('/accounts/')[2].partition('/')[2]}")
        _CALLER.simulator = self._simulator
        answer = _pages().open(
            parts.path, method=method, query_string=parts.query, headers=dict(headers or {}), data=body
        )
        for start in self.losing:
            if self.calls[-1].startswith(start):
                self.losing.remove(start)
                raise ProviderUnavailableError(f"{call} had no answer")
        return Answer(answer.status_code, {name.lower(): value for name, value in answer.headers}, answer.get_data())


class FakeSigning(DocuSignSigning):
    """One account with a template of two roles."""

    def __init__(self, clock: Clock, chance: Chance) -> None:
        self.outbox = Outbox()
        self.simulator = Simulator(base=clock.now, sender=self.outbox)
        self.simulator.directory.seed(COMPANY)
        self.wire = ShortWire(self.simulator)
        http = DocuSignHttp(self._token, ACCOUNT, clock=clock, chance=chance, on_call=lambda _: None, wire=self.wire)
        super().__init__(http)

    def posts(self) -> list[Delivered]:
        """The notices that are due, sent once more if nobody answered; they are taken out."""
        self.simulator.tick()
        posts, self.outbox.posts = self.outbox.posts, []
        return posts

    def acknowledge(self, delivered: Delivered, status: int = 204) -> None:
        self.outbox.answer(delivered, status)
        self.simulator.tick()

    def disturb(self, kind: str, times: int = 1, event: str = "*") -> None:
        """drop, double, reorder or bare (without a summary) to the next notices."""
        self.simulator.connect.disturb(Disturbance(kind, times, event))

    def envelopes(self) -> list[Envelope]:
        return list(self.simulator.envelopes)

    @property
    def only(self) -> Envelope:
        """The only envelope."""
        (found,) = self.envelopes()
        return found

    def recipient(self, role: str) -> Recipient:
        return next(one for one in self.envelopes()[-1].recipients if one.role == role)

    def act(self, role: str, action: str, reason: str = "") -> None:
        """Let whoever has this role in the newest envelope view, sign, decline or bounce."""
        envelope = self.envelopes()[-1]
        self.simulator.act(envelope.envelope_id, self.recipient(role).recipient_id, action, reason)

    def reads(self) -> int:
        """How often a single envelope was read."""
        return sum(call.startswith("GET envelopes/") and call.count("/") == 1 for call in self.wire.calls)

    def counted(self, method_and_start: str) -> int:
        return sum(call.startswith(method_and_start) for call in self.wire.calls)

    def _token(self, _rejected: bool) -> str:
        grants, directory = self.simulator.grants, self.simulator.directory
        code = grants.allow(directory.clients[CLIENT], directory.users[USER], ["signature"], "")
        form = {"grant_type": "authorization_code", "client_id": CLIENT, "client_secret": "hush", "code": code}
        return str(grants.token(form, host="")["access_token"])
