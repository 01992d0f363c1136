"""What every `WrappingKey` does: the fake, a key file, and Cloud KMS by the official client."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from shared.errors import PayloadError
from shared.platform.wrapping_keys import FileWrappingKey, KmsWrappingKey
from shared.ports.secrets import WrappingKey
from tests.contracts.kms import kms_client
from tests.fakes import FakeWrappingKey

PLAIN = bytes(range(32))
RING = "projects/crm/locations/eu/keyRings/crm/cryptoKeys"


@pytest.fixture(params=["fake", "file", "kms"])
def keys(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[WrappingKey, WrappingKey]]:
    """A key and another one of the same kind."""
    match request.param:
        case "fake":
            yield FakeWrappingKey("one"), FakeWrappingKey("other")
        case "file":
            yield FileWrappingKey.load_or_create(tmp_path / "one"), FileWrappingKey.load_or_create(tmp_path / "other")
        case _:
            with kms_client() as client:
                one, other = KmsWrappingKey(f"{RING}/one", client), KmsWrappingKey(f"{RING}/other", client)
                other.wrap(PLAIN, b"")
                yield one, other


def test_what_was_wrapped_is_unwrapped_in_the_same_context(keys: tuple[WrappingKey, WrappingKey]) -> None:
    key, _ = keys
    wrapped = key.wrap(PLAIN, b"tenant t1")
    assert PLAIN not in wrapped
    assert key.unwrap(wrapped, b"tenant t1") == PLAIN


def test_another_context_key_or_byte_opens_nothing(keys: tuple[WrappingKey, WrappingKey]) -> None:
    key, other = keys
    wrapped = key.wrap(PLAIN, b"tenant t1")
    changed = wrapped[:-1] + bytes([wrapped[-1] ^ 1])
    with pytest.raises(PayloadError):
        key.unwrap(wrapped, b"tenant t2")
    with pytest.raises(PayloadError):
        other.unwrap(wrapped, b"tenant t1")
    with pytest.raises(PayloadError):
        key.unwrap(changed, b"tenant t1")
    with pytest.raises(PayloadError):
        key.unwrap(b"", b"tenant t1")


def test_a_key_file_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "wrapping"
    with ThreadPoolExecutor(8) as pool:
        racers = list(pool.map(lambda _: FileWrappingKey.load_or_create(path), range(8)))
    wrapped = racers[0].wrap(PLAIN, b"")
    assert all(racer.unwrap(wrapped, b"") == PLAIN for racer in racers)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["wrapping"]


def test_a_key_file_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key"
    FileWrappingKey.load_or_create(path)
    path.chmod(0o640)
    with pytest.raises(ValueError, match="chmod 600"):
        FileWrappingKey(path)


def test_a_key_file_of_another_length_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(b"short")
    path.chmod(0o600)
    with pytest.raises(ValueError, match="5 bytes"):
        FileWrappingKey.load_or_create(path)
