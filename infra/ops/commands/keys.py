"""Keys, from the outside in: the one that wraps, the ones that seal, and those that vendors sign their notices with.

Each changes the same way: a new one counts beside the old ones, everything moves to it, then the old ones retire.
"""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING, Any

from infra.ops.desk import DONE, NEEDS_PERSON, Desk, add, takes_dry_run, takes_tenant
from shared import wiring
from shared.errors import ContendedError, InputError

if TYPE_CHECKING:
    from shared.usecases.operations.rewrap_keys import Rewrapped

HOOKS = ("docusign", "quickbooks")


def register(commands: Any) -> None:
    kms = add(commands, "rotate-kms", rotate_wrapping_key, "a new version of the wrapping key; data keys wrapped anew")
    kms.add_argument("--rewrap-only", action="store_true", help="no new version: wrap what is there with the newest")
    kms.add_argument("--retire", action="store_true", help="switch off the versions before the newest")
    takes_dry_run(kms)

    reseal = add(commands, "reseal", reseal_all, "a new data key; everything sealed with older ones sealed again")
    takes_tenant(reseal, required=False)
    reseal.add_argument("--no-new-key", action="store_true", help="seal again with the newest key there is")
    reseal.add_argument("--retire", action="store_true", help="delete the data keys that nothing needs any more")
    takes_dry_run(reseal)

    hooks = add(commands, "webhook-keys", change_webhook_keys, "keys of notices: several are valid while they change")
    hooks.add_argument("action", choices=("list", "add", "retire"), help="add reads the new key from standard input")
    hooks.add_argument("--provider", choices=HOOKS, required=True)
    hooks.add_argument("--tenant", help="whose, for docusign; quickbooks has one set for the whole app")
    hooks.add_argument("--key", help="with retire: the fingerprint that list shows")
    takes_dry_run(hooks)


# ---------------------------------------------------------------------------------------------------- the wrapping key


def rotate_wrapping_key(desk: Desk, asked: Namespace) -> int:
    from infra.ops.wrapping import wrapping_versions

    before = _rewrapped(desk, dry_run=True)
    versions = wrapping_versions(desk.commands)
    if asked.dry_run:
        desk.screen.line(f"{versions.count()} versions are valid; {before.keys} data keys would be wrapped anew.")
        return DONE
    if not (asked.rewrap_only or asked.retire):
        versions.add()
    found = _rewrapped(desk)
    desk.screen.line(f"{found.rewrapped} of {found.keys} data keys are wrapped anew, and {found.opened} of them open.")
    if found.opened != found.keys:
        raise ContendedError("Data keys came or went meanwhile.")
    if asked.retire:
        desk.screen.line(f"{versions.retire()} older versions are retired.")
    else:
        desk.screen.line("The versions before still unwrap. After a day: make ops CMD='rotate-kms --retire'")
    return DONE


def _rewrapped(desk: Desk, *, dry_run: bool = False) -> Rewrapped:
    from shared.platform.vault import wrapped_for
    from shared.usecases.operations.rewrap_keys import rewrap_keys

    documents, key = wiring.documents(), desk.wrapping_key()
    return rewrap_keys(documents, key, wrapped_for, clock=wiring.clock(), jitter=wiring.jitter(), dry_run=dry_run)


# -------------------------------------------------------------------------------------------------------- the data keys


def reseal_all(desk: Desk, asked: Namespace) -> int:
    from shared.usecases.operations.reseal import new_data_key, newest_version, reseal, retire_data_keys

    rows, left, refused = [], 0, 0
    for tenant in desk.tenants(asked.tenant):
        store, vault = desk.store(tenant), desk.vault(tenant)
        if newest_version(wiring.documents(), store) == 0:
            continue  # never sealed anything
        retired = 0
        if asked.retire and not asked.dry_run:
            try:
                retired = retire_data_keys(wiring.documents(), store, vault=vault, clock=wiring.clock())
            except InputError as early:  # one organization's new key holds up no other's
                refused += 1
                desk.screen.problem(f"{tenant}: {early}")
        elif not (asked.no_new_key or asked.dry_run):
            new_data_key(wiring.documents(), store, vault=vault, clock=wiring.clock())
        done = reseal(
            wiring.documents(), store, vault=desk.vault(tenant), jitter=wiring.jitter(), dry_run=asked.dry_run
        )
        left += done.left
        rows.append((tenant, done.newest, done.sealed, done.resealed, done.left, retired))
    columns = ("tenant", "newest key", "sealed values", "sealed again", "left under older keys", "keys retired")
    desk.screen.table(columns, rows, title="Seals")
    if asked.dry_run:
        return DONE
    if left:
        desk.screen.problem(f"{left} values are left: run `reseal --no-new-key` again.")
        return NEEDS_PERSON
    if not asked.retire:
        desk.screen.line(
            "Running instances may seal with the key before for 15 minutes: then `reseal --no-new-key`, and when "
            "nothing is left, `reseal --retire`."
        )
    return NEEDS_PERSON if refused else DONE


# ------------------------------------------------------------------------------------------------------ keys of notices


def change_webhook_keys(desk: Desk, asked: Namespace) -> int:
    if asked.action == "retire" and not asked.key:
        raise InputError("Say which key: --key and the fingerprint that `webhook-keys list` shows.")
    if asked.provider == "quickbooks":
        return _change_app_keys(desk, asked)
    if not asked.tenant:
        raise InputError("DocuSign's keys belong to an organization: say --tenant.")
    return _change_connect_keys(desk, asked)


def _change_connect_keys(desk: Desk, asked: Namespace) -> int:
    from shared.usecases.operations.operator import OPERATOR
    from shared.usecases.operations.rotate_connect_keys import add_connect_key, list_connect_keys, retire_connect_key

    store, vault, connection_id = desk.store(asked.tenant), desk.vault(asked.tenant), wiring.signing_connection()
    if asked.action == "list" or asked.dry_run:
        keys = [(key.connection_id, key.fingerprint) for key in list_connect_keys(store, vault=vault)]
        desk.screen.table(("connection", "key"), keys, title="Keys of notices, newest first")
        return DONE
    if asked.action == "add":
        shown = add_connect_key(
            store,
            connection_id,
            desk.secret(),
            vault=vault,
            clock=wiring.clock(),
            jitter=wiring.jitter(),
            actor=OPERATOR.user_id,
        )
        desk.screen.line(f"Key {shown} counts within a minute. Switch DocuSign to it, then retire the old one.")
        return DONE
    gone = retire_connect_key(
        store,
        connection_id,
        asked.key,
        vault=vault,
        clock=wiring.clock(),
        jitter=wiring.jitter(),
        actor=OPERATOR.user_id,
    )
    desk.screen.line(f"Key {asked.key} is retired." if gone else f"There is no key {asked.key} (any more).")
    return DONE


def _change_app_keys(desk: Desk, asked: Namespace) -> int:
    from infra.ops.app_secret import app_secret, with_key, without_key
    from shared.usecases.operations.rotate_connect_keys import fingerprint

    secret = app_secret(f"{asked.provider}-oauth-client", desk.commands)
    before = secret.read()
    if asked.action == "list" or asked.dry_run:
        keys = [(asked.provider, fingerprint(key)) for key in before.get("verifier_tokens", ())]
        desk.screen.table(("provider", "key"), keys, title="Keys of notices, newest first")
        return DONE
    after = with_key(before, desk.secret()) if asked.action == "add" else without_key(before, asked.key)
    if after == before:
        desk.screen.line("Nothing to change.")
        return DONE
    secret.write(after)
    desk.screen.line(f"{len(after['verifier_tokens'])} keys count now; instances read them with their next notice.")
    return DONE
