"""Keys change while everything goes on: new ones at once, old ones for as long as something needs them (D8, I21)."""

from __future__ import annotations

import pytest

from shared.domain.ids import digest
from shared.errors import InputError, PayloadError
from shared.platform.vault import EnvelopeVault
from shared.ports.documents import Query, Update
from shared.ports.marks import reads
from shared.ports.secrets import WrappingKey
from shared.records.connections import Connections
from shared.usecases.accept_delivery import accept_delivery, delivered_body, find_delivery
from shared.usecases.access_token import access_token
from shared.usecases.cash.set_up_signing import connect_keys
from shared.usecases.operations.reseal import new_data_key, reseal, retire_data_keys
from shared.usecases.operations.rewrap_keys import Rewrapped, rewrap_keys
from shared.usecases.operations.rotate_connect_keys import (
    add_connect_key,
    fingerprint,
    list_connect_keys,
    retire_connect_key,
)
from tests.contract_world import CONNECTION, ContractWorld, contract_world
from tests.fake_signing import KEYS
from tests.fakes import FakeWrappingKey
from tests.mail_world import MailWorld, mail_world

SIXTEEN_MINUTES_S = 960


def vault_of(world: MailWorld) -> EnvelopeVault:
    """A fresh one, as another process has it."""
    return EnvelopeVault(world.documents, "acme", world.wrapping_key, world.clock, world.chance)


@pytest.fixture
def world() -> MailWorld:
    """Anna's tokens and a delivery lie sealed under the first data key; a consent is under way."""
    world = mail_world(mailboxes=False)
    world.connects()
    world.starts("u-ben")
    accept_delivery(
        world.store,
        provider="docusign",
        connection_id="n-1",
        event_key="e-1",
        kind="completed",
        body=b"words",
        function="contract_sync",
        vault=world.vault(),
        tasks=world.tasks,
        clock=world.clock,
    )
    return world


def rotate(world: MailWorld) -> int:
    return new_data_key(world.documents, world.store, vault=vault_of(world), clock=world.clock)


def test_a_new_data_key_serves_new_writes_and_the_rest_is_sealed_again(world: MailWorld) -> None:
    world.time.advance(SIXTEEN_MINUTES_S)
    assert rotate(world) == 2
    dry = reseal(world.documents, world.store, vault=vault_of(world), jitter=world.jitter, dry_run=True)
    assert (dry.sealed, dry.resealed, dry.left) == (4, 0, 4)  # two tokens, the verifier of a consent, a delivery
    done = reseal(world.documents, world.store, vault=vault_of(world), jitter=world.jitter)
    assert (done.newest, done.resealed, done.left) == (2, 4, 0)
    again = reseal(world.documents, world.store, vault=vault_of(world), jitter=world.jitter)
    assert (again.resealed, again.left) == (0, 0)


def test_what_was_sealed_again_opens_as_before(world: MailWorld) -> None:
    delivery_id = world.store.find(Query("deliveries"))[0].id
    (connection,) = Connections(world.store).all()
    before = access_token(world.credit(), connection.connection_id)
    world.time.advance(SIXTEEN_MINUTES_S)
    rotate(world)
    reseal(world.documents, world.store, vault=vault_of(world), jitter=world.jitter)
    retired = retire_after(world)
    assert retired == 1
    assert access_token(world.credit(), connection.connection_id) == before
    found = find_delivery(world.store, delivery_id)
    assert found is not None
    assert delivered_body(vault_of(world), found.value) == b"words"


def retire_after(world: MailWorld) -> int:
    world.time.advance(SIXTEEN_MINUTES_S)
    return retire_data_keys(world.documents, world.store, vault=vault_of(world), clock=world.clock)


def test_asked_twice_for_a_new_data_key_it_is_one(world: MailWorld) -> None:
    world.time.advance(SIXTEEN_MINUTES_S)
    assert (rotate(world), rotate(world)) == (2, 2)


def test_a_data_key_that_is_needed_is_not_retired(world: MailWorld) -> None:
    world.time.advance(SIXTEEN_MINUTES_S)
    rotate(world)
    with pytest.raises(InputError, match="younger than 15 minutes"):
        retire_data_keys(world.documents, world.store, vault=vault_of(world), clock=world.clock)
    world.time.advance(SIXTEEN_MINUTES_S)
    with pytest.raises(InputError, match="re-seal them first"):
        retire_data_keys(world.documents, world.store, vault=vault_of(world), clock=world.clock)


# ------------------------------------------------------------------------------------------------- the wrapping key


class TwoKeys:
    """A wrapping key whose newest version wraps; the one before still unwraps."""

    def __init__(self) -> None:
        self.versions = [FakeWrappingKey("one"), FakeWrappingKey("two")]

    @reads
    def wrap(self, plain: bytes, context: bytes) -> bytes:
        return self.versions[-1].wrap(plain, context)

    @reads
    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        for version in self.versions:
            try:
                return version.unwrap(wrapped, context)
            except PayloadError:
                continue
        raise PayloadError("wrapped with another key or context")


def wrapped_for(tenant: str, version: int) -> bytes:
    return digest("data key", tenant, version).encode()


def rewrap(world: MailWorld, key: WrappingKey, *, dry_run: bool = False) -> Rewrapped:
    return rewrap_keys(world.documents, key, wrapped_for, clock=world.clock, jitter=world.jitter, dry_run=dry_run)


def test_data_keys_are_wrapped_anew_and_open_without_the_old_version(world: MailWorld) -> None:
    world.wrapping_key = key = TwoKeys()
    for found in world.store.find(Query("keys")):
        plain = FakeWrappingKey().unwrap(found.fields["wrapped"], wrapped_for("acme", 1))
        by_the_old = key.versions[0].wrap(plain, wrapped_for("acme", 1))
        world.store.commit([Update(found.path, {"wrapped": by_the_old})])
    assert rewrap(world, key, dry_run=True) == Rewrapped(keys=1, rewrapped=0, opened=1)
    assert rewrap(world, key) == Rewrapped(keys=1, rewrapped=1, opened=1)
    key.versions = [key.versions[1]]
    (connection,) = Connections(world.store).all()
    assert access_token(world.credit(), connection.connection_id)


def test_a_key_that_does_not_open_is_not_written_over(world: MailWorld) -> None:
    before = world.memory.dump()
    with pytest.raises(PayloadError):
        rewrap(world, FakeWrappingKey("another"))
    assert world.memory.dump() == before


# -------------------------------------------------------------------------------------------------- keys of notices


@pytest.fixture
def signing() -> ContractWorld:
    return contract_world()


def fingerprints(world: ContractWorld) -> list[str]:
    return [key.fingerprint for key in list_connect_keys(world.store, vault=world.vault)]


def add(world: ContractWorld, key: str) -> str:
    ports = {"vault": world.vault, "clock": world.clock, "jitter": world.jitter}
    return add_connect_key(world.store, CONNECTION, key, actor="operator", **ports)  # type: ignore[arg-type]  # ports by name


def retire(world: ContractWorld, key: str) -> bool:
    ports = {"vault": world.vault, "clock": world.clock, "jitter": world.jitter}
    return retire_connect_key(world.store, CONNECTION, key, actor="operator", **ports)  # type: ignore[arg-type]  # ports by name


def test_a_new_notice_key_counts_beside_the_old_one_until_that_retires(signing: ContractWorld) -> None:
    old = fingerprints(signing)
    new = add(signing, "new-key")
    assert fingerprints(signing) == [new, *old]
    assert retire(signing, fingerprint(KEYS[0]))
    assert "new-key" in connect_keys(signing.store, CONNECTION, vault=lambda: signing.vault)
    assert KEYS[0] not in connect_keys(signing.store, CONNECTION, vault=lambda: signing.vault)


def test_adding_or_retiring_a_notice_key_twice_does_it_once(signing: ContractWorld) -> None:
    add(signing, "new-key")
    add(signing, "new-key\n")
    assert fingerprints(signing).count(fingerprint("new-key")) == 1
    assert retire(signing, fingerprint(KEYS[0]))
    assert not retire(signing, fingerprint(KEYS[0]))


def test_the_last_notice_key_stays_and_an_empty_one_is_refused(signing: ContractWorld) -> None:
    *others, last = fingerprints(signing)
    for other in others:
        retire(signing, other)
    with pytest.raises(InputError, match="only key"):
        retire(signing, last)
    with pytest.raises(InputError, match="standard input"):
        add(signing, "  \n")


def test_a_notice_key_is_shown_by_its_fingerprint_alone(signing: ContractWorld) -> None:
    assert KEYS[0] not in repr(list_connect_keys(signing.store, vault=signing.vault))
