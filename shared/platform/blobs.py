"""The `Blobs` port on any object store obstore knows: gs:// in the cloud, file:// on a laptop, s3://."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from shared.errors import NotFoundError, ProviderUnavailableError
from shared.ports.marks import reads

if TYPE_CHECKING:
    from obstore.store import GCSStore, LocalStore, S3Config, S3Store

RETRIES = 2
_TIMEOUT_S = 20
_NAME = re.compile(r"[A-Za-z0-9_.=-]+")


def check_key(tenant: str, key: str) -> None:
    """Raises: ValueError unless `key` is plain names behind slashes, the tenant's first."""
    first, *names = key.split("/")
    if first != tenant or not names or not all(_NAME.fullmatch(name) and name.strip(".") for name in names):
        raise ValueError(f"{key!r} is no key of a blob of tenant {tenant}")


class ObjectBlobs:
    """The blobs of one tenant, in one bucket or folder.

    url: "gs://bucket", "file:///folder" (made if absent) or "s3://bucket".
    s3: endpoint, region and keys of an S3 store; Google's are found where Google's clients find them.
    """

    def __init__(self, url: str, tenant: str, s3: S3Config | None = None) -> None:
        self._url = url
        self._is_folder = url.startswith("file://")
        self._s3 = s3
        self._tenant = tenant

    def put(self, key: str, content: bytes, content_type: str) -> None:
        """Store or replace. Folders keep no content type, so readers never depend on it.

        Raises: ProviderUnavailableError; ValueError for a key outside the tenant.
        """
        check_key(self._tenant, key)
        with _translated(key):
            if self._is_folder:
                self._store.put(key, content)
            else:
                self._store.put(key, content, attributes={"Content-Type": content_type})

    @reads
    def get(self, key: str) -> bytes:
        check_key(self._tenant, key)
        with _translated(key):
            return bytes(self._store.get(key).bytes())

    def delete(self, key: str) -> None:
        check_key(self._tenant, key)
        try:
            with _translated(key):
                self._store.delete(key)
        except NotFoundError:
            return

    @cached_property
    def _store(self) -> LocalStore | GCSStore | S3Store:
        from obstore.store import GCSStore, LocalStore, S3Store

        limit = timedelta(seconds=_TIMEOUT_S)
        if self._is_folder:
            return LocalStore.from_url(self._url, mkdir=True)
        if self._url.startswith("gs://"):
            return GCSStore.from_url(
                self._url,
                client_options={"timeout": limit},
                retry_config={"max_retries": RETRIES, "retry_timeout": limit},
            )
        on_loopback = self._s3 is not None and self._s3.get("endpoint", "").startswith("http://127.0.0.1")
        return S3Store.from_url(
            self._url,
            config=self._s3,
            client_options={"timeout": limit, "allow_http": on_loopback},
            retry_config={"max_retries": RETRIES, "retry_timeout": limit},
        )


@contextmanager
def _translated(key: str) -> Iterator[None]:
    """obstore says FileNotFoundError for an absent object of any store, and GenericError for a store out of reach."""
    from obstore.exceptions import GenericError

    try:
        yield
    except FileNotFoundError:
        raise NotFoundError(f"blob {key} does not exist") from None
    except GenericError as error:
        raise ProviderUnavailableError(f"the store of blob {key} is out of reach") from error
