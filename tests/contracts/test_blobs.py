"""What every `Blobs` does: the fake, a folder, and S3 by moto's server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from shared.errors import NotFoundError
from shared.platform.blobs import ObjectBlobs
from shared.ports.blobs import Blobs
from tests.fakes import FakeBlobs

if TYPE_CHECKING:
    from obstore.store import S3Config


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    keys = {"aws_access_key_id": "k", "aws_secret_access_key": "s", "region_name": "us-east-1"}
    boto3.client("s3", endpoint_url=endpoint, **keys).create_bucket(Bucket="blobs")
    yield endpoint
    server.stop()


@pytest.fixture(params=["fake", "folder", "s3"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Blobs:
    match request.param:
        case "fake":
            return FakeBlobs("t1")
        case "folder":
            return ObjectBlobs(f"file://{tmp_path}/blobs", "t1")
        case _:
            s3: S3Config = {
                "endpoint": request.getfixturevalue("s3_endpoint"),
                "region": "us-east-1",
                "access_key_id": "k",
                "secret_access_key": "s",
            }
            return ObjectBlobs("s3://blobs", "t1", s3)


def test_bytes_come_back_as_they_were_put(blobs: Blobs) -> None:
    content = bytes(range(256)) * 1000
    blobs.put("t1/mail/m1.eml", content, "message/rfc822")
    assert blobs.get("t1/mail/m1.eml") == content


def test_an_empty_blob_is_a_blob(blobs: Blobs) -> None:
    blobs.put("t1/empty", b"", "text/plain")
    assert blobs.get("t1/empty") == b""


def test_a_put_replaces(blobs: Blobs) -> None:
    blobs.put("t1/replaced", b"one", "text/plain")
    blobs.put("t1/replaced", b"two", "text/plain")
    assert blobs.get("t1/replaced") == b"two"


def test_an_absent_blob_is_not_found(blobs: Blobs) -> None:
    with pytest.raises(NotFoundError):
        blobs.get("t1/absent")


def test_a_deleted_blob_is_gone_and_may_be_deleted_again(blobs: Blobs) -> None:
    blobs.put("t1/deleted", b"x", "text/plain")
    blobs.delete("t1/deleted")
    blobs.delete("t1/deleted")
    with pytest.raises(NotFoundError):
        blobs.get("t1/deleted")


@pytest.mark.parametrize(
    "key", ["t2/a", "t1", "t1/", "t1/../t2/a", "/t1/a", "t10/a", "t1//a", "t1/a b", "t1/%2e%2e/t2"]
)
def test_a_key_outside_the_tenant_is_refused(blobs: Blobs, key: str) -> None:
    with pytest.raises(ValueError, match="key"):
        blobs.put(key, b"x", "text/plain")
    with pytest.raises(ValueError, match="key"):
        blobs.get(key)
    with pytest.raises(ValueError, match="key"):
        blobs.delete(key)
