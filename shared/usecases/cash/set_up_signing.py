"""Set up the signing service: its accounts, Connect keys, templates and the organization's kinds of contract (Q2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from shared.domain.cash.contract_type import ContractType, fill, template_problems
from shared.domain.cash.signing import Signer, SigningAccount, SigningTemplate
from shared.domain.cash.signing_settings import SigningSettings
from shared.domain.people import Role, User
from shared.domain.values import dataclass
from shared.errors import ForbiddenError, InputError, NotFoundError
from shared.ports.cash import Signing
from shared.ports.documents import Write
from shared.ports.secrets import Vault
from shared.ports.time import Clock, Jitter
from shared.records.audit import Audit
from shared.records.signing import contract_types, signing_services
from shared.records.store import TenantStore, guarded
from shared.records.stored import Stored

CONNECT_KEY = "connect_key"
MOST_KEYS = 10


@dataclass(frozen=True, slots=True)
class SigningSetup:
    """What the set-up page shows. problems: what still stops contracts from going out, one sentence each."""

    settings: SigningSettings
    types: tuple[ContractType, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SetupChoice:
    """What a person set; what is None or False stays as it is."""

    account_id: str | None = None
    keys: tuple[str, ...] | None = None
    refresh_templates: bool = False
    contract_type: ContractType | None = None


def set_up(
    store: TenantStore,
    connection_id: str,
    choice: SetupChoice,
    user: User,
    *,
    signing: Callable[[], Signing],
    vault: Vault,
    clock: Clock,
    jitter: Jitter,
) -> None:
    """Carry out what was chosen. Raises: ForbiddenError; NotFoundError; InputError."""
    if choice.account_id is not None:
        choose_account(store, connection_id, choice.account_id, user, clock=clock, jitter=jitter)
    if choice.keys is not None:
        set_keys(store, connection_id, choice.keys, user, vault=vault, clock=clock, jitter=jitter)
    if choice.contract_type is not None:
        save_contract_type(store, choice.contract_type, user, clock=clock)
    if choice.refresh_templates:
        refresh_templates(store, connection_id, user, signing=signing(), clock=clock, jitter=jitter)


def open_signing(
    store: TenantStore, connection_id: str, provider: str, *, accounts: Callable[[], tuple[SigningAccount, ...]]
) -> None:
    """What follows a connect: which accounts there are. The only one is chosen; of several a person chooses, and what
    was chosen before stays if it is still there. Safe to repeat."""
    found = accounts()
    services = signing_services(store)
    stored = services.find(connection_id)
    before = stored.value.account if stored else None
    kept = next((account for account in found if before and account.account_id == before.account_id), None)
    chosen = kept or (found[0] if len(found) == 1 else None)
    known = stored.value if stored else SigningSettings(connection_id, provider)
    settings = replace(known, accounts=found, account=chosen)
    store.commit([_writing(store, settings, stored)])


def read_setup(store: TenantStore, connection_id: str, user: User, *, signing: Callable[[], Signing]) -> SigningSetup:
    """Raises: ForbiddenError; NotFoundError; what the signing service raises for now."""
    _require_admin(user)
    settings = signing_services(store).get(connection_id).value
    types = tuple(kept.value for kept in contract_types(store).where(()))
    problems: list[str] = []
    if settings.account is None:
        problems.append("Choose which account contracts are sent from.")
    if not settings.keys:
        problems.append("Enter the account's Connect key; without it no notice is believed.")
    if not types:
        problems.append("Add at least one kind of contract.")
    if settings.account is not None:
        problems += [problem for kind in types for problem in _type_problems(kind, signing())]
    return SigningSetup(settings, types, tuple(problems))


def choose_account(
    store: TenantStore, connection_id: str, account_id: str, user: User, *, clock: Clock, jitter: Jitter
) -> SigningSettings:
    """Raises: ForbiddenError; NotFoundError; InputError."""

    def chosen(settings: SigningSettings) -> SigningSettings:
        account = next((kept for kept in settings.accounts if kept.account_id == account_id), None)
        if account is None:
            raise InputError("This account is not one of those the connected person may use.")
        return replace(settings, account=account, templates=(), templates_at=None)

    return _change(store, connection_id, user, "signing.account_chosen", chosen, clock, jitter)


def set_keys(
    store: TenantStore,
    connection_id: str,
    keys: tuple[str, ...],
    user: User,
    *,
    vault: Vault,
    clock: Clock,
    jitter: Jitter,
) -> SigningSettings:
    """All keys that are valid now; the old and the new one while they change. Raises: ForbiddenError; InputError."""
    wanted = tuple(dict.fromkeys(key.strip() for key in keys if key.strip()))
    if not 1 <= len(wanted) <= MOST_KEYS:
        raise InputError(f"Enter 1 to {MOST_KEYS} Connect keys.")
    sealed = tuple(vault.seal(connection_id, CONNECT_KEY, key.encode()) for key in wanted)
    return _change(
        store,
        connection_id,
        user,
        "signing.keys_changed",
        lambda settings: replace(settings, keys=sealed),
        clock,
        jitter,
    )


def connect_keys(store: TenantStore, connection_id: str, *, vault: Callable[[], Vault]) -> tuple[str, ...]:
    """The keys a notice may be signed with; none for a connection that is not there.

    vault: opened only where there is a key: anybody can name any tenant before proving anything.
    """
    stored = signing_services(store).find(connection_id)
    if stored is None or not stored.value.keys:
        return ()
    opened = vault()
    return tuple(opened.open(connection_id, CONNECT_KEY, key).decode() for key in stored.value.keys)


def refresh_templates(
    store: TenantStore, connection_id: str, user: User, *, signing: Signing, clock: Clock, jitter: Jitter
) -> SigningSettings:
    """Raises: ForbiddenError; what the signing service raises for now."""
    _require_admin(user)
    templates: tuple[SigningTemplate, ...] = signing.templates()
    return _change(
        store,
        connection_id,
        user,
        "signing.templates_read",
        lambda settings: replace(settings, templates=templates, templates_at=clock.now()),
        clock,
        jitter,
    )


def save_contract_type(store: TenantStore, kind: ContractType, user: User, *, clock: Clock) -> None:
    """Raises: ForbiddenError; InputError."""
    _require_admin(user)
    if not kind.type_id or "/" in kind.type_id or not kind.name:
        raise InputError("A kind of contract needs a short id and a name.")
    if not kind.roles:
        raise InputError(f"{kind.name} has no role; at least one person signs.")
    if len({mapping.role for mapping in kind.roles}) < len(kind.roles):
        raise InputError(f"{kind.name} has a role twice; each signer needs one of their own.")
    types = contract_types(store)
    stored = types.find(kind.type_id)
    write = types.updating(kind.type_id, kind, stored.version) if stored else types.creating(kind.type_id, kind)
    audit = Audit(store).recording(user.user_id, "contract_type.saved", kind.type_id, clock.now())
    store.commit([write, audit])


def _type_problems(kind: ContractType, signing: Signing) -> list[str]:
    """A role or field that is not mapped, or changed since. Each stops only contracts of that template."""
    if not kind.templates:
        return [] if kind.terms else [f"{kind.name} has neither a template nor text; choose one."]
    problems: list[str] = []
    signers = tuple(
        Signer(str(number), mapping.role, "", "", mapping.order) for number, mapping in enumerate(kind.roles, start=1)
    )
    for mapping in kind.templates:
        labels = {role: dict.fromkeys(fields, "") for role, fields in mapping.prefill.items()}
        problems += [problem for problem in fill(mapping, {}).problems if "does not exist" in problem]
        try:
            problems += template_problems(signers, labels, signing.template(mapping.template_id))
        except NotFoundError:
            problems.append(f"The template {mapping.name} of {kind.name} does not exist any more; choose another.")
    return problems


def _change(
    store: TenantStore,
    connection_id: str,
    user: User,
    action: str,
    change: Callable[[SigningSettings], SigningSettings],
    clock: Clock,
    jitter: Jitter,
) -> SigningSettings:
    _require_admin(user)

    def attempt() -> SigningSettings:
        stored = signing_services(store).get(connection_id)
        after = change(stored.value)
        audit = Audit(store).recording(user.user_id, action, connection_id, clock.now())
        store.commit([_writing(store, after, stored), audit])
        return after

    return guarded(jitter, f"signing service {connection_id}", attempt)


def _writing(store: TenantStore, settings: SigningSettings, stored: Stored[SigningSettings] | None) -> Write:
    services = signing_services(store)
    if stored is None:
        return services.creating(settings.connection_id, settings)
    return services.updating(settings.connection_id, settings, stored.version)


def _require_admin(user: User) -> None:
    if user.role is not Role.ADMIN:
        raise ForbiddenError(f"user {user.user_id} may not set up signing")
