"""Builds the real things: the only place that reads the environment.

Everything is built when it is first asked for and kept for the life of the instance; what a function does not ask for
is never imported. All of it is safe to use from the threads of one instance.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from shared.domain.quarantine import Parked
from shared.errors import ProofError
from shared.platform.clock import SystemChance, SystemClock, SystemJitter
from shared.records.store import TenantStore

if TYPE_CHECKING:
    from flask import Request

    from shared.domain.people import User
    from shared.platform.identity import ServiceTokens, UserTokens
    from shared.platform.key_set import KeySet
    from shared.platform.vault import DataKeyCache
    from shared.ports import (
        Authorization,
        Blobs,
        Calendar,
        Chance,
        Clock,
        Documents,
        Jitter,
        Mailbox,
        Publisher,
        Recurrence,
        Subscriptions,
        Tasks,
        Vault,
        WrappingKey,
    )
    from shared.providers.call_record import CallRecord, OnCall
    from shared.providers.connecting import Client, Connecting
    from shared.providers.google.http import GoogleHttp
    from shared.providers.wire import Wire
    from shared.records.routes import Routes
    from shared.usecases.access_token import Credit
    from shared.usecases.calendar.served import ServedCalendars
    from shared.usecases.mail.served import ServedMailbox

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


@cache
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
    tenant_store = store(person.tenant)
    user = Users(tenant_store).find(person.user_id)
    if user is None:
        raise ForbiddenError(f"user {person.user_id} is not a member")
    return tenant_store, user


def argument(request: Request, name: str) -> str:
    """A query argument, or a field of a JSON body. Raises: InputError naming the one that is missing."""
    from shared.errors import InputError

    body = request.get_json(silent=True) if request.method != "GET" else None
    value = request.args.get(name) or (body.get(name) if isinstance(body, dict) else None)
    if not isinstance(value, str) or not value or ("/" in value and name != "message_id"):
        raise InputError(f"The argument '{name}' is missing or not a text.")
    return value


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


@cache
def vault(tenant: str) -> Vault:
    from shared.platform.vault import EnvelopeVault

    return EnvelopeVault(documents(), tenant, wrapping_key(), clock(), chance(), _data_keys())


@cache
def _data_keys() -> DataKeyCache:
    from shared.platform.vault import DataKeyCache

    return DataKeyCache()


def credit(tenant: str, actor: str = "system", provider: str = "google") -> Credit:
    from shared.usecases.access_token import Credit

    return Credit(store(tenant), vault(tenant), authorization(provider, tenant), clock(), chance(), jitter(), actor)


# --------------------------------------------------------------------------------------------- connecting a provider


def connecting(provider: str) -> Connecting:
    """What the provider's folder says about connecting it. Raises: InputError for one that is not there."""
    from shared.providers.connecting import connecting as found

    return found(provider)


def oauth_client(provider: str, tenant: str | None = None) -> Client:
    """The client registered at the vendor. {PROVIDER}_OAUTH_CLIENT names a JSON file with client_id, client_secret and,
    for the vendor's trial environment, "sandbox": true; Google's download has them below "web"."""
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
    )


@cache
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


@cache
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
    )


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

    return report
