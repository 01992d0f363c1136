"""What follows when a company's ledger was connected: is it fit, whose notices are these, and from when on (Q8, I23).

And what keeps it connected: refreshed while nobody uses it, its people warned before it ends.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from shared import log
from shared.domain.cash.accounting import LedgerCompany
from shared.domain.cash.ledger_settings import LedgerSettings
from shared.domain.connection import Connection, ConsentState, Credentials
from shared.domain.mailbox import Status
from shared.domain.outbox import promise
from shared.domain.people import User
from shared.errors import InputError
from shared.ports.cash import Ledger
from shared.ports.documents import Documents
from shared.ports.oauth import Grant
from shared.ports.tasks import Tasks
from shared.ports.time import Clock, Jitter
from shared.records.audit import Audit
from shared.records.connections import Connections
from shared.records.followups import Outbox
from shared.records.ledgers import ledgers
from shared.records.routes import Target, adding_route
from shared.records.store import TenantStore, guarded
from shared.records.stored import Stored
from shared.records.todos import Todos
from shared.usecases.access_token import Credit, access_token
from shared.usecases.connect_organization import organization_keeper
from shared.usecases.promises import keep_promise_tasks

NEEDS_CUSTOM_NUMBERS = "custom_numbers_off"
"""The problem of a company that numbers invoices by itself, by the error catalogue's id."""

IDLE_AT_MOST = timedelta(days=7)
WARN_BEFORE = (timedelta(days=30), timedelta(days=7))


def connect_ledger(
    store: TenantStore,
    connection_id: str,
    *,
    ledger: Ledger,
    has_notices: bool,
    documents: Documents,
    clock: Clock,
    jitter: Jitter,
) -> LedgerSettings | None:
    """Read the company and begin with it; None where it does not number invoices as we ask, which is said on the
    connection. Safe to repeat: what was mapped before stays.

    Raises: NotFoundError; what the ledger raises.
    """
    company = ledger.company()

    def attempt() -> LedgerSettings | None:
        connection = Connections(store).get(connection_id)
        if not company.custom_numbers:
            _refuse(store, connection, clock)
            return None
        before = ledgers(store).find(connection_id)
        settings = _settings(before.value if before else None, connection.value, company, has_notices, clock.now())
        fit = replace(connection.value, status=Status.CONNECTED, account=company.name, problem=None, problem_at=None)
        writes = [
            ledgers(store).updating(connection_id, settings, before.version)
            if before
            else ledgers(store).creating(connection_id, settings),
            Connections(store).updating(fit, connection.version),
        ]
        route = adding_route(fit.provider, company.company_id, Target(store.tenant, connection_id))
        documents.commit([*store.absolute(writes), route])
        return settings

    settings = guarded(jitter, f"ledger {connection_id}", attempt)
    log.event("ledger.connected", tenant=store.tenant, connection=connection_id, fit=settings is not None)
    return settings


def connect_by_keys(credit: Credit, *, provider: str, user_id: str, grant: Grant, tasks: Tasks) -> str:
    """Store what an administrator entered, sealed, and go on as after a consent page; returns the connection's id.

    grant: the keys take the place of its refresh token.
    """
    consent = ConsentState(provider, user_id, verifier=b"", binding="", expires_at=credit.clock.now())
    keep = organization_keeper(opens="ledger_open", by_account=True)
    kept = guarded(credit.jitter, f"{provider} connection", lambda: keep(credit, consent, grant))
    tasks.create(keep_promise_tasks(kept.promises))
    return kept.connection.connection_id


def reopen_ledger(store: TenantStore, connection_id: str, actor: User, *, tasks: Tasks, clock: Clock) -> None:
    """What an administrator had to do at the other side is done: read the company once more, as after connecting.

    Raises: NotFoundError; InputError for a connection that waits for nobody, or whose grant is gone.
    """
    status = Connections(store).get(connection_id).value.status
    if status is not Status.ADMIN_ACTION_NEEDED:
        raise InputError(
            "This connection has to be made anew."
            if status is Status.RECONNECT_NEEDED
            else "This connection does not wait for an administrator."
        )
    now = clock.now()
    again = promise("ledger_open", {"tenant": store.tenant, "connection": connection_id}, now, connection_id, str(now))
    audit = Audit(store).recording(actor.user_id, "connection.tried_again", connection_id, now)
    store.commit([Outbox(store).creating(again), audit])
    tasks.create(keep_promise_tasks([again]))


def _settings(
    before: LedgerSettings | None, connection: Connection, company: LedgerCompany, has_notices: bool, now: datetime
) -> LedgerSettings:
    """Changes are read from the moment it was connected; a ledger that was away is read from where it was left."""
    if before is not None:
        return replace(before, company=company, has_notices=has_notices)
    return LedgerSettings(
        connection_id=connection.connection_id,
        provider=connection.provider,
        company=company,
        has_notices=has_notices,
        read_until=now,
    )


def _refuse(store: TenantStore, connection: Stored[Connection], clock: Clock) -> None:
    """Without our numbers, an invoice whose answer was lost could not be found again."""
    held = replace(
        connection.value, status=Status.ADMIN_ACTION_NEEDED, problem=NEEDS_CUSTOM_NUMBERS, problem_at=clock.now()
    )
    store.commit([Connections(store).updating(held, connection.version)])


# ------------------------------------------------------------------------------------------------- staying connected


def tend_connection(credit: Credit, connection_id: str) -> None:
    """Refresh a grant that was idle for a week, and warn 30 and 7 days before it ends whatever we do. Safe to repeat.

    Raises: ConnectionRevokedError and the like; the connection says so then.
    """
    stored = Connections(credit.store).credentials(connection_id)
    if stored is None:
        return
    now = credit.clock.now()
    if stored.value.expires_at is not None and now - stored.value.expires_at > IDLE_AT_MOST:
        access_token(credit, connection_id)
        stored = Connections(credit.store).credentials(connection_id) or stored
    _warn(credit.store, connection_id, stored.value, now)


def _warn(store: TenantStore, connection_id: str, credentials: Credentials, now: datetime) -> None:
    """A task for whoever connected it; made from the end and how near it is, so it is one however often this runs."""
    ends_at = min(filter(None, (credentials.idle_end_at, credentials.hard_end_at)), default=None)
    due = [before for before in WARN_BEFORE if ends_at is not None and ends_at - now <= before]
    connection = Connections(store).find(connection_id)
    if not due or ends_at is None or connection is None:
        return
    days = due[-1].days
    sentence = f"The connection to {connection.value.account} ends on {ends_at:%Y-%m-%d}. Connect it anew before that."
    new = ("connection-ends", connection_id, ends_at.date().isoformat(), days)
    asking = Todos(store).asking(connection.value.user_id, "", sentence, now, new=new)
    if store.get(asking.path) is not None:
        return
    store.commit([asking, Audit(store).recording("system", "connection.end_announced", connection_id, now)])
    log.event("connection.ends", severity="WARNING", tenant=store.tenant, connection=connection_id, days=days)
