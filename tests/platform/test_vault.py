"""Sealed secrets open for their tenant, connection and field, and for nobody else."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.errors import PayloadError, ProviderUnavailableError
from shared.platform.vault import CACHE_FOR, CACHED_TENANTS, DataKeyCache, EnvelopeVault
from shared.ports.documents import Document, Query, Update
from tests.fakes import FakeChance, FakeClock, FakeWrappingKey, MemoryDocuments


class RacedDocuments(MemoryDocuments):
    """After the next query somebody else acts, before whoever asked can act on the answer."""

    meanwhile: Callable[[], object] | None = None

    def find(self, query: Query) -> list[Document]:
        found = super().find(query)
        rival, self.meanwhile = self.meanwhile, None
        if rival:
            rival()
        return found


class Bank:
    """Everything a vault stands on, and vaults that share it as the instances of one deployment do."""

    def __init__(self) -> None:
        self.documents = RacedDocuments()
        self.wrapping_key = FakeWrappingKey()
        self.clock = FakeClock()
        self.chance = FakeChance()

    def vault(self, tenant: str = "t1", cache: DataKeyCache | None = None) -> EnvelopeVault:
        return EnvelopeVault(self.documents, tenant, self.wrapping_key, self.clock, self.chance, cache)


@pytest.fixture
def bank() -> Bank:
    return Bank()


def test_what_is_sealed_opens_again_on_any_instance(bank: Bank) -> None:
    sealed = bank.vault().seal("c1", "refresh_token", b"secret")
    assert b"secret" not in sealed
    assert bank.vault().open("c1", "refresh_token", sealed) == b"secret"


def test_the_same_secret_is_never_sealed_the_same(bank: Bank) -> None:
    vault = bank.vault()
    assert len({vault.seal("c1", "refresh_token", b"secret") for _ in range(100)}) == 100


@pytest.mark.parametrize(
    ("tenant", "connection", "field"),
    [
        ("t2", "c1", "token"),
        ("t1", "c2", "token"),
        ("t1", "c1", "other"),
        ("t1", "c1to", "ken"),
        ("t1c1", "", "token"),
    ],
)
def test_it_opens_for_no_other_tenant_connection_or_field(bank: Bank, tenant: str, connection: str, field: str) -> None:
    sealed = bank.vault("t1").seal("c1", "token", b"secret")
    bank.vault(tenant).seal("c1", "token", b"so that this tenant has a key")
    with pytest.raises(PayloadError):
        bank.vault(tenant).open(connection, field, sealed)


def test_a_sealed_value_moved_to_another_tenant_with_its_key_document_stays_shut(bank: Bank) -> None:
    sealed = bank.vault("t1").seal("c1", "token", b"secret")
    bank.vault("t2").seal("c1", "token", b"so that this tenant has a key")
    stolen = bank.documents.get("tenants/t1/keys/1")
    assert stolen is not None
    bank.documents.commit([Update("tenants/t2/keys/1", {"wrapped": stolen.fields["wrapped"]})])
    with pytest.raises(PayloadError):
        bank.vault("t2").open("c1", "token", sealed)


@pytest.mark.parametrize("place", [0, 1, 4, 5, 16, 17, -1])
def test_a_changed_byte_shuts_it_for_good(bank: Bank, place: int) -> None:
    vault = bank.vault()
    changed = bytearray(vault.seal("c1", "token", b"secret"))
    changed[place] ^= 1
    with pytest.raises(PayloadError):
        vault.open("c1", "token", bytes(changed))


@pytest.mark.parametrize("sealed", [b"", b"\x01", b"\x01\x00\x00\x00\x01" + b"n" * 11])
def test_what_was_never_sealed_does_not_open(bank: Bank, sealed: bytes) -> None:
    with pytest.raises(PayloadError):
        bank.vault().open("c1", "token", sealed)


def test_the_data_key_is_stored_only_wrapped(bank: Bank) -> None:
    bank.vault().seal("c1", "token", b"secret")
    (document,) = bank.documents.dump().values()
    assert document.keys() == {"v", "version", "wrapped", "created_at"}
    assert bank.wrapping_key.wraps == 1


def test_two_instances_that_seal_first_agree_on_one_key(bank: Bank) -> None:
    one, other = bank.vault(), bank.vault()
    bank.documents.meanwhile = lambda: other.seal("c1", "token", b"other")
    sealed = one.seal("c1", "token", b"one")
    assert bank.documents.paths() == ["tenants/t1/keys/1"]
    assert other.open("c1", "token", sealed) == b"one"


def test_keys_are_unwrapped_once_in_fifteen_minutes(bank: Bank) -> None:
    sealed = bank.vault().seal("c1", "token", b"secret")
    vault = bank.vault()
    for _ in range(10):
        assert vault.open("c1", "token", sealed) == b"secret"
        vault.seal("c1", "token", b"secret")
    assert bank.wrapping_key.unwraps == 1
    bank.clock.advance(CACHE_FOR.total_seconds())
    vault.open("c1", "token", sealed)
    assert bank.wrapping_key.unwraps == 2


def test_an_outage_of_the_wrapping_key_shows_only_when_it_is_needed(bank: Bank) -> None:
    vault = bank.vault()
    sealed = vault.seal("c1", "token", b"secret")
    bank.wrapping_key.down = True
    assert vault.open("c1", "token", sealed) == b"secret"
    bank.clock.advance(CACHE_FOR.total_seconds())
    with pytest.raises(ProviderUnavailableError):
        vault.open("c1", "token", sealed)


def test_an_instance_keeps_the_keys_of_the_last_hundred_tenants(bank: Bank) -> None:
    cache = DataKeyCache()
    for number in range(CACHED_TENANTS + 1):
        bank.vault(f"t{number}", cache).seal("c1", "token", b"secret")
    now = bank.clock.now()
    assert cache.newest("t0", now) == 0
    assert cache.newest("t1", now) == cache.newest(f"t{CACHED_TENANTS}", now) == 1


def test_after_a_rotation_new_seals_use_the_new_key_and_old_ones_still_open(bank: Bank) -> None:
    vault, elsewhere = bank.vault(), bank.vault()
    old = vault.seal("c1", "token", b"secret")
    elsewhere.seal("c1", "token", b"secret")
    assert vault.rotate() == 2
    new = vault.seal("c1", "token", b"secret")
    assert (vault.version_of(old), vault.version_of(new)) == (1, 2)
    assert elsewhere.open("c1", "token", new) == elsewhere.open("c1", "token", old) == b"secret"
    bank.clock.advance(CACHE_FOR.total_seconds())
    assert elsewhere.version_of(elsewhere.seal("c1", "token", b"secret")) == 2


def test_the_tenth_key_is_newer_than_the_ninth(bank: Bank) -> None:
    for _ in range(9):
        bank.vault().rotate()
    vault = bank.vault()
    assert vault.version_of(vault.seal("c1", "token", b"secret")) == 10


def test_two_rotations_at_once_make_one_key(bank: Bank) -> None:
    one, other = bank.vault(), bank.vault()
    one.seal("c1", "token", b"secret")
    other.seal("c1", "token", b"secret")
    assert one.rotate() == other.rotate() == 2
    assert other.open("c1", "token", one.seal("c1", "token", b"secret")) == b"secret"


def test_threads_share_a_vault(bank: Bank) -> None:
    cache = DataKeyCache()

    def round_trip(number: int) -> bool:
        vault = bank.vault(f"t{number % 3}", cache)
        secret = str(number).encode()
        return vault.open("c1", "token", vault.seal("c1", "token", secret)) == secret

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(round_trip, range(200)))
