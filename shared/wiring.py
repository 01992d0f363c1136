"""Builds the real things: the only place that reads the environment.

Everything is built when it is first asked for and kept for the life of the instance; what a function does not ask for
is never imported. All of it is safe to use from the threads of one instance.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache, lru_cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from shared.errors import ProofError
from shared.platform.clock import SystemChance, SystemClock, SystemJitter
from shared.records.store import TenantStore

if TYPE_CHECKING:
    from flask import Request

    from shared.domain.cash.signing import SigningAccount
    from shared.domain.people import User
    from shared.platform.identity import ServiceTokens, UserTokens
    from shared.platform.key_set import KeySet
    from shared.platform.vault import DataKeyCache
    from shared.ports.blobs import Blobs
    from shared.ports.calendar import Calendar, Recurrence
    from shared.ports.cash import Ledger, Signing
    from shared.ports.documents import Documents
    from shared.ports.mailbox import Mailbox
    from shared.ports.messages import Publisher, Subscriptions
    from shared.ports.oauth import Authorization
    from shared.ports.papers import PdfWriter
    from shared.ports.secrets import Vault, WrappingKey
    from shared.ports.tasks import Tasks
    from shared.ports.time import Chance, Clock, Jitter
    from shared.providers.call_record import CallRecord, OnCall
    from shared.providers.connecting import Client, Connected, Connecting
    from shared.providers.google.http import GoogleHttp
    from shared.providers.wire import Wire
    from shared.records.routes import Routes
    from shared.usecases.access_token import Credit
    from shared.usecases.calendar.served import ServedCalendars
    from shared.usecases.cash.open_ledger import OpenLedger
    from shared.usecases.cash.send_contract import Sending
    from shared.usecases.integration_log import CallLog
    from shared.usecases.mail.served import ServedMailbox

os.environ.setdefault("GRPC_SINGLE_THREADED_UNARY_STREAM", "1")
"""For gRPC, which looks when it is imported: reading documents is a call with a stream of answers, for each of which it
would start a thread of its own. That cost a third of a read's processor time."""

GMAIL_TOPIC = "gmail-push"
NO_TENANT = "unrouted"
"""Where garbage is parked that names no tenant."""

TOKEN_KEPT_FOR = timedelta(minutes=5)


# -------------------------------------------------------------------------------------------------- the environment


def _env(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        raise RuntimeError(f"the environment variable {name} is not set")
    return value


def project() -> str:
    return _env("GOOGLE_CLOUD_PROJECT")


def function_url(function: str) -> str:
    """A function's URL, which is also the audience of the tokens it accepts."""
    return f"{_env('FUNCTIONS_BASE_URL').rstrip('/')}/{function}"


def public_url(function: str) -> str:
    """Where vendors and browsers reach a function."""
    base = os.environ.get("PUBLIC_BASE_URL") or _env("FUNCTIONS_BASE_URL")
    return f"{base.rstrip('/')}/{function}"


def quota_units_per_minute() -> int:
    """Gmail's quota for one user of this project; Google's default for new projects unless configured."""
    from shared.providers.google.prices import DEFAULT_QUOTA_UNITS_PER_MINUTE

    return int(os.environ.get("GMAIL_QUOTA_UNITS_PER_MINUTE") or DEFAULT_QUOTA_UNITS_PER_MINUTE)


# ------------------------------------------------------------------------------------------------ time, chance, store


@cache
def clock() -> Clock:
    return SystemClock()


@cache
def chance() -> Chance:
    return SystemChance()


@cache
def jitter() -> Jitter:
    return SystemJitter()


@cache
def documents() -> Documents:
    from google.cloud import firestore

    from shared.platform.firestore.documents import FirestoreDocuments

    return FirestoreDocuments(firestore.Client(project=project()), jitter())


def store(tenant: str) -> TenantStore:
    return TenantStore(documents(), tenant)


def asked_store(tenant: str, request: Request) -> TenantStore:
    """For work on a person's request: its audit rows tell where that came from (R8)."""
    return store(tenant).asked_by(visitor_address(request))


@cache
def routes() -> Routes:
    from shared.records.routes import Routes

    return Routes(documents())


@cache
def tasks() -> Tasks:
    from shared.platform.cloud_tasks import CloudTasks

    return CloudTasks(
        project=project(),
        location=_env("TASKS_LOCATION"),
        function_url=function_url,
        service_account=_env("OIDC_CALLER"),
        emulator_host=os.environ.get("CLOUD_TASKS_EMULATOR_HOST"),
    )


@cache
def publisher() -> Publisher:
    from shared.platform.pubsub import PubSubPublisher

    return PubSubPublisher(project=project(), emulator_host=os.environ.get("PUBSUB_EMULATOR_HOST"))


@cache
def subscriptions() -> Subscriptions:
    from shared.platform.subscriptions import PubSubSubscriptions

    return PubSubSubscriptions(project=project(), emulator_host=os.environ.get("PUBSUB_EMULATOR_HOST"))


@lru_cache(maxsize=500)
def blobs(tenant: str) -> Blobs:
    from shared.platform.blobs import ObjectBlobs

    return ObjectBlobs(_env("BLOBS_URL"), tenant)


@cache
def recurrence() -> Recurrence:
    from shared.platform.recurrence import DateutilRecurrence

    return DateutilRecurrence()


# ----------------------------------------------------------------------------------------------------- who is asking


@cache
def service_tokens() -> ServiceTokens:
    from shared.platform.identity import ServiceTokens

    return ServiceTokens(_key_set(_env("OIDC_CERTS_URL")), frozenset({_env("OIDC_CALLER")}), clock())


@cache
def user_tokens() -> UserTokens:
    from shared.platform.identity import UserTokens

    return UserTokens(_key_set(_env("IDENTITY_CERTS_URL")), _env("IDENTITY_PROJECT"), clock())


@cache
def _key_set(url: str) -> KeySet:
    from shared.platform.key_set import KeySet

    return KeySet(url, clock())


def signed_in(request: Request) -> tuple[TenantStore, User]:
    """The person asking, and the store of their organization. Raises: ProofError, ForbiddenError."""
    from shared.errors import ForbiddenError
    from shared.records.people import Users

    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise ProofError("no ID token")
    person = user_tokens().verify(token.strip())
    tenant_store = asked_store(person.tenant, request)
    user = Users(tenant_store).find(person.user_id)
    if user is None:
        raise ForbiddenError(f"user {person.user_id} is not a member")
    return tenant_store, user


def argument(request: Request, name: str) -> str:
    """A query argument, or a field of a JSON body. Raises: InputError naming the one that is missing."""
    from shared.domain.ids import is_id
    from shared.errors import InputError

    value = request.args.get(name) or (_form(request).get(name) if request.method != "GET" else None)
    if not isinstance(value, str) or not (is_id(value) or (value and name == "message_id")):
        raise InputError(f"The argument '{name}' is missing or not a text.")
    return value


def _form(request: Request) -> Mapping[str, Any]:
    """The fields of a JSON body; none of any other. Raises: TooLargeError."""
    from shared.domain.json_text import read_json

    try:
        found = read_json(request.get_data()) if request.is_json else None
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def phone_reader(region: str) -> Callable[[str], str | None]:
    """Reads phone numbers as they are written in a region (ISO 3166, two letters) to E.164."""
    import phonenumbers

    def read(typed: str) -> str | None:
        try:
            number = phonenumbers.parse(typed, region)
        except phonenumbers.NumberParseException:
            return None
        if not phonenumbers.is_possible_number(number):
            return None
        return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))

    return read


# ----------------------------------------------------------------------------------------------------------- secrets


@cache
def wrapping_key() -> WrappingKey:
    from shared.platform.wrapping_keys import FileWrappingKey, KmsWrappingKey

    key_file = os.environ.get("LOCAL_WRAPPING_KEY_FILE")
    return FileWrappingKey.load_or_create(Path(key_file)) if key_file else KmsWrappingKey(_env("KMS_KEY"))


@lru_cache(maxsize=500)
def vault(tenant: str) -> Vault:
    from shared.platform.vault import EnvelopeVault

    return EnvelopeVault(documents(), tenant, wrapping_key(), clock(), chance(), _data_keys())


@cache
def _data_keys() -> DataKeyCache:
    from shared.platform.vault import DataKeyCache

    return DataKeyCache()


def credit(tenant: str, actor: str = "system", provider: str = "google", asked: TenantStore | None = None) -> Credit:
    """asked: the store of the person's request it is for, if there is one."""
    from shared.usecases.access_token import Credit

    kept = asked or store(tenant)
    return Credit(kept, vault(tenant), authorization(provider, tenant), clock(), chance(), jitter(), actor)


# --------------------------------------------------------------------------------------------- connecting a provider


def connecting(provider: str) -> Connecting:
    """What the provider's folder says about connecting it. Raises: InputError for one that is not there."""
    from shared.providers.connecting import connecting as found

    return found(provider)


def oauth_client(provider: str, tenant: str | None = None) -> Client:
    """The client registered at the vendor. {PROVIDER}_OAUTH_CLIENT names a JSON file with client_id, client_secret and,
    where they apply, "sandbox": true and "private_key" (PEM); Google's download has them below "web"."""
    from shared.providers.connecting import Client

    content = json.loads(Path(_env(f"{provider.upper()}_OAUTH_CLIENT")).read_text())
    client = content.get("web", content)
    return Client(
        client_id=client["client_id"],
        client_secret=client["client_secret"],
        redirect_uri=public_url("oauth_callback"),
        root_url=os.environ.get(f"{provider.upper()}_API_ROOT"),
        sandbox=client.get("sandbox") is True,
        clock=clock(),
        chance=chance(),
        wire=_wire(),
        on_call=reporter(tenant or NO_TENANT, provider),
        private_key=client["private_key"].encode() if client.get("private_key") else None,
    )


def just_connected(request: Request) -> Connected:
    """Whom a browser comes back from. Raises: NotFoundError for an address we never sent anybody to."""
    import re

    from shared.errors import NotFoundError
    from shared.providers.connecting import connected

    if not re.fullmatch(r"/n[0-9a-f]{32}", request.path):
        raise NotFoundError("no connection has this address")
    return connected(request.args.get("provider", ""))


@lru_cache(maxsize=500)
def authorization(provider: str = "google", tenant: str | None = None) -> Authorization:
    return connecting(provider).authorization(oauth_client(provider, tenant))


def organization_token(tenant: str, provider: str, connection_id: str) -> Callable[[bool], str]:
    """Gives the access token of an organization's connection, kept in memory for some minutes."""
    return _Token(tenant, lambda: connection_id, provider)


# ------------------------------------------------------------------------------------------------------------ Google


@cache
def _wire() -> Wire:
    from shared.providers.wire import Wire

    return Wire()


class _Token:
    """An access token, kept in memory for a few minutes: reading it from the store costs a read a message.

    connection: asks which connection's token it is, when one is fetched.
    """

    def __init__(self, tenant: str, connection: Callable[[], str], provider: str = "google") -> None:
        self._tenant = tenant
        self._connection = connection
        self._provider = provider
        self._lock = Lock()
        self._token: str | None = None
        self._until: datetime | None = None

    def __call__(self, rejected: bool) -> str:
        """rejected: the vendor refused the last one handed out."""
        from shared.usecases.access_token import access_token

        with self._lock:
            now = clock().now()
            if self._token is not None and self._until is not None and now < self._until and not rejected:
                return self._token
            refused = self._token if rejected else None
            token_credit = credit(self._tenant, provider=self._provider)
            self._token = access_token(token_credit, self._connection(), rejected=refused)
            self._until = now + TOKEN_KEPT_FOR
            return self._token


@lru_cache(maxsize=500)
def _google(tenant: str, mailbox_id: str) -> GoogleHttp:
    from shared.providers.google.http import GoogleHttp
    from shared.records.mailboxes import Mailboxes

    return GoogleHttp(
        _Token(tenant, lambda: Mailboxes(store(tenant)).get(mailbox_id).value.connection_id),
        clock=clock(),
        chance=chance(),
        root_url=os.environ.get("GOOGLE_API_ROOT"),
        wire=_wire(),
    )


def gmail(tenant: str, mailbox_id: str) -> Mailbox:
    from shared.providers.google.gmail import GmailMailbox

    return GmailMailbox(_google(tenant, mailbox_id), f"projects/{project()}/topics/{GMAIL_TOPIC}")


def calendar(tenant: str, mailbox_id: str) -> Calendar:
    from shared.providers.google.calendar import GoogleCalendar

    return GoogleCalendar(_google(tenant, mailbox_id))


def served(ids: Mapping[str, str]) -> ServedMailbox:
    """The mailbox a task's payload names (`tenant`, `mailbox`), with everything that serves it."""
    from shared.providers.google.prices import GMAIL_UNITS
    from shared.usecases.mail.served import ServedMailbox

    tenant, mailbox_id = ids["tenant"], ids["mailbox"]
    return ServedMailbox(
        store=store(tenant),
        mailbox_id=mailbox_id,
        gmail=gmail(tenant, mailbox_id),
        tasks=tasks(),
        blobs=blobs(tenant),
        clock=clock(),
        chance=chance(),
        jitter=jitter(),
        quota_units_per_minute=quota_units_per_minute(),
        prices=GMAIL_UNITS,
        sharers=lambda: routes().sharers("gmail", _address(tenant, mailbox_id)),
    )


@lru_cache(maxsize=10_000)
def _address(tenant: str, mailbox_id: str) -> str:
    """A mailbox's id is made of its address, so it is read once."""
    from shared.records.mailboxes import Mailboxes

    return Mailboxes(store(tenant)).get(mailbox_id).value.address


def served_calendars(ids: Mapping[str, str]) -> ServedCalendars:
    """The calendars of the mailbox a payload names, with everything that serves them."""
    from shared.usecases.calendar.served import ServedCalendars

    tenant, mailbox_id = ids["tenant"], ids["mailbox"]
    return ServedCalendars(
        store=store(tenant),
        mailbox_id=mailbox_id,
        calendar=calendar(tenant, mailbox_id),
        tasks=tasks(),
        clock=clock(),
        chance=chance(),
        jitter=jitter(),
        push_url=public_url("calendar_push"),
    )


def calendars_opener(ids: Mapping[str, str]) -> Callable[[], None]:
    """Begins to follow the calendars of the mailbox a payload names."""

    def open_them() -> None:
        from shared.usecases.calendar.open_calendars import open_calendars

        open_calendars(served_calendars(ids), documents=documents())

    return open_them


def calendars_closer(ids: Mapping[str, str]) -> Callable[[], None]:
    """Stops every channel of the mailbox a payload names."""

    def close_them() -> None:
        from shared.usecases.calendar.renew_channel import close_calendars

        close_calendars(served_calendars(ids), documents=documents())

    return close_them


def web_url() -> str:
    """Where the web front end lives."""
    return (os.environ.get("WEB_URL") or _env("FUNCTIONS_BASE_URL")).rstrip("/")


# -------------------------------------------------------------------------------------------------------- quarantine


def park(kind: str, key: str, reason: str, ids: Mapping[str, str]) -> None:
    """Keep what an entry point could not hand on. A task is parked with what runs it again."""
    from shared.domain.quarantine import Parked
    from shared.usecases.quarantine import park as park_it

    payload = json.loads(ids["payload"]) if "payload" in ids else None
    tenant = payload.get("tenant", NO_TENANT) if payload else NO_TENANT
    parked = Parked(
        kind=kind,
        key=key,
        reason=reason,
        parked_at=clock().now(),
        ids={name: value for name, value in ids.items() if name != "payload"},
        queue=ids.get("queue"),
        function=ids.get("function") if payload else None,
        payload=payload,
    )
    park_it(store(tenant), parked, jitter())


# -------------------------------------------------------------------------------------------------------------- calls


def reporter(tenant: str, connection_id: str) -> OnCall:
    """Hears of every call to a contract or ledger provider (Q13)."""

    def report(call: CallRecord) -> None:
        from shared import log
        from shared.domain.integration_call import IntegrationCall

        log.event(
            "vendor.called",
            tenant=tenant,
            connection=connection_id,
            purpose=call.purpose,
            result=call.result,
            status=call.status,
            duration_s=round(call.duration_s, 3),
            trace_id=call.trace_id,
        )
        _call_log(tenant).write(
            IntegrationCall(
                connection_id=connection_id,
                provider=call.provider,
                purpose=call.purpose,
                result=call.result,
                status=call.status,
                started_at=call.started_at,
                duration_s=call.duration_s,
                trace_id=call.trace_id,
            )
        )

    return report


@lru_cache(maxsize=500)
def _call_log(tenant: str) -> CallLog:
    from shared.usecases.integration_log import CallLog

    return CallLog(store(tenant))


# ------------------------------------------------------------------------------------------------------------- signing

MOST_NOTICE_BYTES = 900_000
"""A notice is kept in one document; one that is larger tells too much, and the daily reconcile finds what it told."""

KEYS_KEPT_FOR = timedelta(seconds=60)


def signing(tenant: str, connection_id: str) -> Signing:
    """The chosen account at the signing service. Raises: NotFoundError; ConnectionRevokedError while it waits for a
    person; InputError before an account is chosen."""
    from shared.domain.mailbox import SERVED
    from shared.errors import ConnectionRevokedError, InputError
    from shared.providers.docusign.client import DocuSignHttp
    from shared.providers.docusign.signing import DocuSignSigning
    from shared.records.connections import Connections
    from shared.records.signing import signing_services
    from shared.usecases.cash.note_refusals import noting_refusals

    connection = Connections(store(tenant)).get(connection_id).value
    if connection.status not in SERVED:
        raise ConnectionRevokedError(f"connection {connection_id} waits for a person")
    account = signing_services(store(tenant)).get(connection_id).value.account
    if account is None:
        raise InputError("Choose which account contracts are sent from, on the set-up page.")
    token = _signing_token(tenant, connection_id)
    report = reporter(tenant, connection_id)
    http = DocuSignHttp(token, account, clock=clock(), chance=chance(), on_call=report, wire=_wire())
    return noting_refusals(DocuSignSigning(http), connection, lambda: credit(tenant, provider="docusign"))


@lru_cache(maxsize=100)
def _signing_token(tenant: str, connection_id: str) -> Callable[[bool], str]:
    return organization_token(tenant, "docusign", connection_id)


def signing_connection() -> str:
    """The id of an organization's signing connection: it has one."""
    from shared.usecases.connect_organization import organization_connection_id

    return organization_connection_id("docusign")


def signing_accounts(tenant: str, connection_id: str) -> Callable[[], tuple[SigningAccount, ...]]:
    """Asks which accounts the connected person may use."""

    def accounts() -> tuple[SigningAccount, ...]:
        from shared.providers.docusign.connecting import authorization as build
        from shared.records.connections import Connections
        from shared.usecases.cash.note_refusals import noting_refusals

        connection = Connections(store(tenant)).get(connection_id).value
        server = build(oauth_client("docusign", tenant))
        asked = noting_refusals(server, connection, lambda: credit(tenant, provider="docusign"))
        return asked.accounts(_signing_token(tenant, connection_id)(False))

    return accounts


def notify_url(tenant: str, connection_id: str) -> str:
    """Where the signing service's notices about this organization's contracts go."""
    return f"{public_url('docusign_webhook')}/{tenant}/{connection_id}"


def notified(request: Request) -> tuple[str, str]:
    """Tenant and connection that the path of a notice names. Raises: ProofError for any other path."""
    from shared.domain.ids import is_id

    parts = request.path.strip("/").split("/")
    if len(parts) != 2 or not all(map(is_id, parts)):
        raise ProofError("a notice to an address we never gave")
    return parts[0], parts[1]


def notice_body(request: Request) -> bytes:
    """The bytes as they came. Raises: TooLargeError."""
    return upload(request, MOST_NOTICE_BYTES)


def connect_keys(tenant: str, connection_id: str) -> tuple[str, ...]:
    """The keys notices are signed with, kept in memory for a minute; none for whom we do not know."""
    return _connect_keys(tenant, connection_id, int(clock().now().timestamp() // KEYS_KEPT_FOR.total_seconds()))


@lru_cache(maxsize=500)
def _connect_keys(tenant: str, connection_id: str, _minute: int) -> tuple[str, ...]:
    from shared.usecases.cash.set_up_signing import connect_keys as found

    return found(store(tenant), connection_id, vault=lambda: vault(tenant))


@cache
def papers() -> PdfWriter:
    from shared.platform.paper.writer import PaperWriter
    from shared.providers.docusign.mapping import date_anchor, signature_anchor

    return PaperWriter(signature_anchor=signature_anchor, date_anchor=date_anchor)


def is_image(content: bytes) -> bool:
    """Whether a picture can be put on paper."""
    from shared.platform.paper.images import is_image as drawable

    return drawable(content)


def sending(tenant: str) -> Sending:
    """What sending a contract of this organization needs. Raises: as `signing`."""
    from shared.usecases.cash.render_contract import contract_renderer
    from shared.usecases.cash.send_contract import Sending

    connection_id = signing_connection()
    return Sending(
        signing=signing(tenant, connection_id),
        connection_id=connection_id,
        notify_url=notify_url(tenant, connection_id),
        render=contract_renderer(store(tenant), writer=papers(), blobs=blobs(tenant), clock=clock()),
        tasks=tasks(),
        clock=clock(),
        jitter=jitter(),
    )


def quote_link(request: Request) -> tuple[TenantStore, str, str]:
    """Store, quote id and token that the path of a quote's page names. Raises: NotFoundError for any other path."""
    from shared.domain.ids import is_id
    from shared.errors import NotFoundError

    parts = request.path.strip("/").split("/")
    if len(parts) != 3 or not all(map(is_id, parts)):
        raise NotFoundError("no quote under this address")
    return asked_store(parts[0], request), parts[1], parts[2]


LONGEST_ADDRESS = 45
"""Of IPv6, written out."""


def visitor_address(request: Request) -> str:
    """The address a browser's request came from, as the front end in front of us appends it."""
    forwarded = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    return (forwarded or request.remote_addr or "")[:LONGEST_ADDRESS]


def json_body(request: Request) -> Mapping[str, Any]:
    """Raises: InputError for anything but a JSON object that says something; TooLargeError."""
    from shared.errors import InputError

    body = _form(request)
    if not body:
        raise InputError("Send a JSON object.")
    return body


def upload(request: Request, most: int) -> bytes:
    """A body that may be larger than others are. Raises: TooLargeError before a byte is read."""
    from shared.errors import TooLargeError

    if request.content_length is None or request.content_length > most:
        raise TooLargeError(f"a body of more than {most} bytes, or of no stated size")
    request.max_content_length = most
    return request.get_data()


# ------------------------------------------------------------------------------------------------------------- ledgers

NETSUITE = "netsuite"
HAVE_NOTICES = frozenset({"quickbooks"})
"""Ledgers that tell of changes by themselves; the others are polled."""


def ledger(tenant: str, connection_id: str) -> Ledger:
    """The ledger of a connection, whatever state it is in. Raises: NotFoundError."""
    from shared.records.connections import Connections
    from shared.usecases.cash.note_refusals import noting_refusals

    connection = Connections(store(tenant)).get(connection_id).value
    build = _netsuite if connection.provider == NETSUITE else _quickbooks
    built = build(tenant, connection_id, connection.account_id, connection.connected_at)
    return noting_refusals(built, connection, lambda: ledger_credit(tenant, connection_id))


def open_ledger(tenant: str) -> OpenLedger:
    """Opens ledgers of connections that are served; of others nothing is called until a person has acted."""

    def opened(connection_id: str) -> Ledger:
        from shared.domain.mailbox import SERVED
        from shared.errors import ConnectionRevokedError
        from shared.records.connections import Connections

        if Connections(store(tenant)).get(connection_id).value.status not in SERVED:
            raise ConnectionRevokedError(f"connection {connection_id} waits for a person")
        return ledger(tenant, connection_id)

    return opened


def ledger_credit(tenant: str, connection_id: str) -> Credit:
    """What refreshing a ledger's grant needs. Raises: NotFoundError."""
    from shared.records.connections import Connections

    provider = Connections(store(tenant)).get(connection_id).value.provider
    return keys_credit(tenant, connection_id) if provider == NETSUITE else credit(tenant, provider=provider)


def sends_notices(tenant: str, connection_id: str) -> bool:
    """Raises: NotFoundError."""
    from shared.records.connections import Connections

    return Connections(store(tenant)).get(connection_id).value.provider in HAVE_NOTICES


def notice_keys(provider: str) -> tuple[str, ...]:
    """The vendor's verifier tokens for our app, newest first: "verifier_tokens" beside the client's id and secret. None
    where no client is registered: then no notice can be proven."""
    client_file = os.environ.get(f"{provider.upper()}_OAUTH_CLIENT")
    if not client_file:
        return ()
    return tuple(json.loads(Path(client_file).read_text()).get("verifier_tokens", ()))


@lru_cache(maxsize=100)
def _quickbooks(tenant: str, connection_id: str, realm_id: str, _connected_at: datetime) -> Ledger:
    """_connected_at: one that was connected anew is built anew."""
    from shared.providers.quickbooks.client import QuickBooksHttp
    from shared.providers.quickbooks.connecting import endpoints
    from shared.providers.quickbooks.ledger import QuickBooksLedger

    client = oauth_client("quickbooks", tenant)
    http = QuickBooksHttp(
        organization_token(tenant, "quickbooks", connection_id),
        realm_id=realm_id,
        api=endpoints(client).api,
        clock=clock(),
        on_call=reporter(tenant, connection_id),
        wire=_wire(),
    )
    return QuickBooksLedger(http, clock=clock())


@lru_cache(maxsize=100)
def _netsuite(tenant: str, connection_id: str, _account_id: str, _connected_at: datetime) -> Ledger:
    from shared.providers.netsuite.account import Account
    from shared.providers.netsuite.client import NetsuiteClient
    from shared.providers.netsuite.keys import Keys, access_of, settings_of
    from shared.providers.netsuite.ledger import NetsuiteLedger
    from shared.records.connections import Connections
    from shared.usecases.access_token import REFRESH_TOKEN
    from shared.usecases.call_slots import call_slot

    kept = Connections(store(tenant)).credentials(connection_id)
    if kept is None:
        raise RuntimeError(f"connection {connection_id} has no keys")
    keys = Keys.opened(vault(tenant).open(connection_id, REFRESH_TOKEN, kept.value.refresh_token).decode())
    size = int(os.environ.get("NETSUITE_CALLS_AT_ONCE") or 4)
    http = NetsuiteClient(
        Account(keys.account_id, os.environ.get("NETSUITE_API_ROOT")),
        access_of(keys, _netsuite_token(tenant, connection_id), clock=clock(), chance=chance()),
        clock=clock(),
        chance=chance(),
        on_call=reporter(tenant, connection_id),
        slot=lambda: call_slot(store(tenant), connection_id, size, clock=clock(), chance=chance()),
        wire=_wire(),
    )
    return NetsuiteLedger(http, settings_of(keys), clock=clock())


def _netsuite_token(tenant: str, connection_id: str) -> Callable[[bool], str]:
    """Gives an access token from the store; called with True, a newer one than it gave last."""
    from shared.usecases.access_token import access_token

    given: list[str] = []

    def token(rejected: bool) -> str:
        refused = given[-1] if rejected and given else None
        given[:] = [access_token(keys_credit(tenant, connection_id), connection_id, rejected=refused)]
        return given[-1]

    return token


def keys_credit(tenant: str, reported_as: str, asked: TenantStore | None = None) -> Credit:
    """What connecting by keys, and minting with them, needs. asked: as in `credit`."""
    from shared.providers.netsuite.keys import KeysAuthorization
    from shared.usecases.access_token import Credit

    by_keys = KeysAuthorization(
        root_url=os.environ.get("NETSUITE_API_ROOT"),
        clock=clock(),
        chance=chance(),
        on_call=reporter(tenant, reported_as),
        wire=_wire(),
    )
    return Credit(asked or store(tenant), vault(tenant), by_keys, clock(), chance(), jitter())


def similar_names(name: str, names: Sequence[str], limit: int) -> list[tuple[int, float]]:
    """The most similar of `names`: their positions and percent, best first."""
    from rapidfuzz import fuzz, process

    found = process.extract(name, names, scorer=fuzz.token_sort_ratio, limit=limit)
    return [(position, percent) for _, percent, position in found]
