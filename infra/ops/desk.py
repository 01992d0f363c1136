"""What every command needs: where it works, where it speaks, and who acts."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

from infra.ops.screen import Screen
from shared import wiring
from shared.errors import InputError
from shared.records.store import TenantStore

if TYPE_CHECKING:
    from infra.deploy.commands import Commands
    from shared.platform.vault import EnvelopeVault
    from shared.ports.secrets import WrappingKey

DONE, NEEDS_PERSON, ASKED_WRONGLY, TRY_AGAIN = 0, 1, 2, 3
"""Exit codes: all well; something is left that a person must look at; not understood or refused; later may help."""

Run = Callable[["Desk", Namespace], int]


@dataclass
class Desk:
    """commands: runs gcloud. given: standard input, for secrets."""

    screen: Screen
    commands: Commands
    given: TextIO

    def store(self, tenant: str) -> TenantStore:
        return wiring.store(tenant)

    def tenants(self, named: str | None) -> list[str]:
        """The one that is named, or all."""
        from shared.records.walks import tenants

        return [named] if named else tenants(wiring.documents())

    def vault(self, tenant: str) -> EnvelopeVault:
        """A vault with a cache of its own: keys are what is being changed."""
        from shared.platform.vault import EnvelopeVault

        return EnvelopeVault(wiring.documents(), tenant, self.wrapping_key(), wiring.clock(), wiring.chance())

    def wrapping_key(self) -> WrappingKey:
        """Raises: InputError for a key file that is none, or is not its owner's alone."""
        try:
            return wiring.wrapping_key()
        except ValueError as unfit:
            raise InputError(f"{unfit}.") from unfit

    def contact_id(self, tenant: str, named: str) -> str:
        """By id, or by an address it has. Raises: InputError where that is nobody, or several."""
        if "@" not in named:
            return named
        from shared.domain.mail.addresses import normalize, untagged
        from shared.domain.matching import NOBODY, contacts_of
        from shared.records.addresses import Addresses
        from shared.records.organizations import Organizations

        store = self.store(tenant)
        rows = Addresses(store, Organizations(store).get().index_key).rows([named])
        found = sorted(contacts_of(rows.get(untagged(normalize(named)), NOBODY).matches(named)))
        if len(found) != 1:
            which = f"several contacts: {', '.join(found)}" if found else "no contact"
            raise InputError(f"This address belongs to {which}. Name the contact by its id.")
        return found[0]

    def mailbox_id(self, named: str) -> str:
        """By id, or by its address."""
        from shared.domain.mailbox import mailbox_id

        return mailbox_id(named) if "@" in named else named

    def secret(self) -> str:
        """One line from standard input: never an argument, which other processes could read."""
        return self.given.readline().strip()


def add(commands: Any, name: str, run: Run, help_text: str) -> ArgumentParser:
    """A command, for the module that defines it. commands: what argparse calls subparsers."""
    parser: ArgumentParser = commands.add_parser(name, help=help_text, description=help_text)
    parser.set_defaults(run=run)
    return parser


def takes_tenant(parser: ArgumentParser, *, required: bool = True) -> None:
    text = "the organization's id" if required else "the organization's id; all of them without it"
    parser.add_argument("--tenant", required=required, help=text)


def takes_dry_run(parser: ArgumentParser) -> None:
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")
