"""The Google provider and the simulated Google over the wire: connecting, reading, and being refused."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from local.cloud.serving import running
from local.google.app import create_app
from local.google.service import Settings
from local.google.simulator import Simulator
from shared.errors import (
    AdminActionError,
    ConnectionRevokedError,
    CursorExpiredError,
    InputError,
    NotFoundError,
    ProviderUnavailableError,
    RateLimitedError,
)
from shared.ports.mailbox import FullMessage, Mailbox
from shared.ports.oauth import Grant
from shared.providers.google.gmail import GmailMailbox
from shared.providers.google.http import GoogleHttp, Token, Usage
from shared.providers.google.manifest import CALENDAR_READ, GMAIL_READ, SCOPES, Endpoints, refused_features
from shared.providers.google.oauth import GoogleAuthorization, OAuthClient
from tests.fakes import FakeChance, FakeClock

KIM = "kim@example.com"
CLIENT = OAuthClient("throughline.apps.example", "hush", "https://crm.example/oauth_callback")
VERIFIER = "v" * 43
TOPIC = "projects/demo/topics/gmail-push"


class World:
    """The simulated Google with one account, and the product's way to it."""

    def __init__(self, simulator: Simulator, url: str, published: list[tuple[str, bytes]]) -> None:
        self.simulator = simulator
        self.url = url
        self.published = published
        self.clock = FakeClock(datetime.now(UTC))
        self.usage = Usage()
        self.authorization = self.authorization_of(CLIENT)

    def authorization_of(self, client: OAuthClient) -> GoogleAuthorization:
        endpoints = Endpoints.under(self.url)
        return GoogleAuthorization(client, clock=self.clock, chance=FakeChance(), endpoints=endpoints)

    def consent(self, *ticked: str) -> str:
        """Do what a person does on Google's page; return the code Google sends back."""
        asked = urlsplit(self.authorization.url(state="s1", verifier=VERIFIER, login_hint=KIM))
        fields = {name: values[0] for name, values in parse_qs(asked.query).items()}
        form = [*fields.items(), ("user", KIM), ("decision", "allow"), *(("granted", scope) for scope in ticked)]
        connection = HTTPConnection(asked.netloc)
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", asked.path, urlencode(form), headers)
        location = connection.getresponse().headers["Location"]
        connection.close()
        return parse_qs(urlsplit(location).query)["code"][0]

    def connect(self, *ticked: str) -> Grant:
        return self.authorization.exchange(code=self.consent(*ticked), verifier=VERIFIER)

    def access_token(self, *scopes: str) -> str:
        client = self.simulator.grants.clients[CLIENT.client_id]
        return str(self.simulator.grants.issue(KIM, scopes or SCOPES, client)["access_token"])

    def mailbox(self, token: Token | None = None) -> Mailbox:
        good = self.access_token()
        http = GoogleHttp(
            token or (lambda _: good), clock=self.clock, chance=FakeChance(), root_url=self.url, usage=self.usage
        )
        return GmailMailbox(http, TOPIC)

    def gmail(self, action: str, **body: object) -> dict[str, Any]:
        """Make something happen in the mailbox."""
        mount = self.simulator.mount("gmail")
        with mount.lock:
            return mount.service.controls[action]({"email": KIM, **body}) or {}

    def deliver(self, subject: str = "Offer", **more: object) -> str:
        """Have Ada write to Kim; return the message's id."""
        fields = {"from": "Ada <ada@customer.example>", "to": [KIM], "subject": subject, "text": "Hello Kim", **more}
        return str(self.gmail("deliver", **fields)["messages"][KIM]["id"])


@pytest.fixture(scope="module")
def google(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Simulator, str, list[tuple[str, bytes]]]]:
    published: list[tuple[str, bytes]] = []
    folder: Path = tmp_path_factory.mktemp("google")
    simulator = Simulator(Settings(folder), publish=lambda topic, payload: published.append((topic, payload)))
    simulator.grants.register(
        {"client_id": CLIENT.client_id, "client_secret": "hush", "redirect_uris": [CLIENT.redirect_uri]}
    )
    with running(create_app(simulator)) as url:
        yield simulator, url, published


@pytest.fixture
def world(google: tuple[Simulator, str, list[tuple[str, bytes]]]) -> Iterator[World]:
    simulator, url, published = google
    simulator.reset()
    published.clear()
    simulator.create_account({"email": KIM, "aliases": ["sales@example.com"]})
    yield World(simulator, url, published)
    assert simulator.gateway.violations == []


# ---------------------------------------------------------------------------------------------------------- connecting


def test_a_person_connects_and_unticks_the_calendar(world: World) -> None:
    grant = world.connect(GMAIL_READ)
    assert grant.account == KIM
    assert refused_features(grant.scopes) == {"calendar"}
    assert grant.refresh_token is not None
    token = world.authorization.refresh(grant.refresh_token)
    assert token.expires_at > world.clock.now() + timedelta(minutes=50)


def test_a_code_works_once_and_only_with_its_verifier(world: World) -> None:
    with pytest.raises(InputError):
        world.authorization.exchange(code=world.consent(GMAIL_READ), verifier="w" * 43)
    code = world.consent(GMAIL_READ)
    world.authorization.exchange(code=code, verifier=VERIFIER)
    with pytest.raises(InputError):
        world.authorization.exchange(code=code, verifier=VERIFIER)


def test_a_wrong_secret_is_the_administrators_matter(world: World) -> None:
    authorization = world.authorization_of(OAuthClient(CLIENT.client_id, "wrong", CLIENT.redirect_uri))
    with pytest.raises(AdminActionError) as caught:
        authorization.exchange(code=world.consent(GMAIL_READ), verifier=VERIFIER)
    assert caught.value.reason == "client_invalid"


def test_a_changed_password_ends_the_connection_and_an_outage_does_not(world: World) -> None:
    refresh_token = world.connect(GMAIL_READ, CALENDAR_READ).refresh_token
    assert refresh_token is not None
    world.simulator.faults.arm({"method": "oauth.token.refresh", "status": 500, "body": {"error": "internal_failure"}})
    with pytest.raises(ProviderUnavailableError):
        world.authorization.refresh(refresh_token)
    assert world.authorization.refresh(refresh_token).token
    world.simulator.grants.change_password(KIM)
    with pytest.raises(ConnectionRevokedError):
        world.authorization.refresh(refresh_token)


def test_revoking_twice_is_revoked(world: World) -> None:
    refresh_token = world.connect(GMAIL_READ).refresh_token
    assert refresh_token is not None
    world.authorization.revoke(refresh_token)
    world.authorization.revoke(refresh_token)
    with pytest.raises(ConnectionRevokedError):
        world.authorization.refresh(refresh_token)


# ------------------------------------------------------------------------------------------------------------- reading


def test_new_mail_is_announced_found_in_history_and_read(world: World) -> None:
    mailbox = world.mailbox()
    watch = mailbox.start_watch()
    assert watch.expires_at > world.clock.now() + timedelta(days=6)
    gmail_id = world.deliver("Offer", text="Grüße aus Köln")
    page = mailbox.history(watch.history_id, None)
    assert [(change.kind, change.ref.gmail_id) for change in page.changes] == [("added", gmail_id)]
    assert page.history_id == mailbox.profile().history_id > watch.history_id
    message = mailbox.message(gmail_id)
    assert message.headers.subject == "Offer"
    assert message.body.text.strip() == "Grüße aus Köln"
    assert {topic for topic, _ in world.published} == {TOPIC}
    mailbox.stop_watch()


def test_history_tells_trashing_from_deleting(world: World) -> None:
    mailbox = world.mailbox()
    gmail_id = world.deliver()
    since = mailbox.profile().history_id
    world.gmail("trash", id=gmail_id)
    world.gmail("delete", id=gmail_id)
    changes = mailbox.history(since, None).changes
    assert {(change.kind, *change.labels) for change in changes} == {
        ("labels_added", "TRASH"),
        ("labels_removed", "INBOX"),
        ("deleted",),
    }


def test_long_history_comes_in_pages(world: World) -> None:
    mailbox = world.mailbox()
    since = mailbox.profile().history_id
    ids = [world.deliver(f"Offer {number}") for number in range(501)]
    first = mailbox.history(since, None)
    assert first.next_page is not None
    second = mailbox.history(since, first.next_page)
    assert second.next_page is None
    assert [change.ref.gmail_id for change in first.changes + second.changes] == ids


def test_forgotten_history_is_an_expired_cursor(world: World) -> None:
    mailbox = world.mailbox()
    since = mailbox.profile().history_id
    world.deliver()
    world.gmail("expire-history")
    with pytest.raises(CursorExpiredError):
        mailbox.history(since, None)


def test_a_list_is_newest_first_between_two_times_without_spam_and_trash(world: World) -> None:
    start = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

    def at(minutes: int) -> str:
        return (start + timedelta(minutes=minutes)).isoformat()

    world.deliver("too old", at=at(-1))
    first, second = world.deliver("first", at=at(1)), world.deliver("second", at=at(2))
    world.gmail("trash", id=world.deliver("trashed", at=at(3)))
    world.deliver("too new", at=at(60))
    mailbox = world.mailbox()

    def found(search: str = "") -> list[str]:
        before = start + timedelta(minutes=30)
        return [
            ref.gmail_id for ref in mailbox.list_messages(after=start, before=before, page=None, search=search).refs
        ]

    assert found() == [second, first]
    assert found("from:ada@customer.example") == [second, first]
    assert found("from:somebody@else.example") == []


def test_headers_of_25_messages_one_of_them_gone(world: World) -> None:
    ids = [world.deliver(f"Offer {number}") for number in range(25)]
    world.gmail("delete", id=ids[7])
    found = world.mailbox().headers(ids)
    subjects = [headers.subject if headers else None for headers in found.values()]
    assert subjects == [None if number == 7 else f"Offer {number}" for number in range(25)]
    assert world.usage.calls == {"gmail.users.messages.get": 25}
    assert world.usage.units == 500


def test_a_conversation_is_read_whole(world: World) -> None:
    first = world.gmail(
        "deliver", **{"from": "ada@customer.example"}, to=[KIM], subject="Offer", text="One", message_id="<1@c.example>"
    )["messages"][KIM]
    world.deliver("Re: Offer", text="Two", in_reply_to="<1@c.example>", references="<1@c.example>")
    mailbox = world.mailbox()
    thread = mailbox.thread(first["thread_id"])
    assert [message.body.text.strip() for message in thread if isinstance(message, FullMessage)] == ["One", "Two"]
    assert [headers.subject for headers in mailbox.thread_headers(first["thread_id"])] == ["Offer", "Re: Offer"]
    assert mailbox.thread("f" * 16) == ()


def test_own_addresses_are_the_primary_one_and_the_alias(world: World) -> None:
    assert world.mailbox().own_addresses() == (KIM, "sales@example.com")


# ------------------------------------------------------------------------------------------------------------- refused


def test_a_used_up_minute_says_when_to_come_back(world: World) -> None:
    mailbox = world.mailbox()
    for _ in range(60):  # 100 units each, of 6,000 a minute
        mailbox.start_watch()
    with pytest.raises(RateLimitedError) as caught:
        mailbox.start_watch()
    pause = caught.value.resume_at - world.clock.now()
    assert timedelta(seconds=40) < pause < timedelta(seconds=65)


def test_mail_that_was_not_allowed_asks_to_reconnect(world: World) -> None:
    token = world.access_token("openid", "email")
    with pytest.raises(ConnectionRevokedError):
        world.mailbox(lambda _: token).profile()


def test_a_stale_token_is_replaced_on_the_way(world: World) -> None:
    good = world.access_token()
    world.deliver()
    mailbox = world.mailbox(lambda refresh: good if refresh else "stale")
    assert mailbox.profile().address == KIM


def test_a_lost_reply_and_an_outage_are_tried_again_later(world: World) -> None:
    mailbox = world.mailbox()
    for fault in ({"reply_lost": True}, {"status": 503}, {"status": 500, "body": {}}):
        world.simulator.faults.arm({"method": "gmail.users.getProfile", **fault})
        with pytest.raises(ProviderUnavailableError):
            mailbox.profile()
    assert mailbox.profile().address == KIM


def test_a_message_deleted_before_it_was_read_is_gone(world: World) -> None:
    gmail_id = world.deliver()
    world.gmail("delete", id=gmail_id)
    with pytest.raises(NotFoundError):
        world.mailbox().message(gmail_id)
