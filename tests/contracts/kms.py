"""A Cloud KMS server at the wire: the two calls we make, with AES-GCM behind them and Google's error."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import grpc
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from google.cloud import kms_v1
from google.cloud.kms_v1.services.key_management_service.transports import KeyManagementServiceGrpcTransport


class KmsServer:
    """Keys by name, each made when it is first used."""

    def __init__(self) -> None:
        self._keys: dict[str, AESGCM] = {}

    def encrypt(self, request: kms_v1.EncryptRequest, _: grpc.ServicerContext) -> kms_v1.EncryptResponse:
        key = self._keys.setdefault(request.name, AESGCM(secrets.token_bytes(32)))
        nonce = secrets.token_bytes(12)
        sealed = key.encrypt(nonce, request.plaintext, request.additional_authenticated_data)
        return kms_v1.EncryptResponse(name=f"{request.name}/cryptoKeyVersions/1", ciphertext=nonce + sealed)

    def decrypt(self, request: kms_v1.DecryptRequest, context: grpc.ServicerContext) -> kms_v1.DecryptResponse:
        nonce, sealed = request.ciphertext[:12], request.ciphertext[12:]
        try:
            plain = self._keys[request.name].decrypt(nonce, sealed, request.additional_authenticated_data)
        except (InvalidTag, ValueError):
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "Decryption failed.")
        return kms_v1.DecryptResponse(plaintext=plain)


@contextmanager
def kms_client() -> Iterator[kms_v1.KeyManagementServiceClient]:
    """The official client, connected to a server of its own."""
    kms = KmsServer()
    handlers = {
        "Encrypt": grpc.unary_unary_rpc_method_handler(
            kms.encrypt, kms_v1.EncryptRequest.deserialize, kms_v1.EncryptResponse.serialize
        ),
        "Decrypt": grpc.unary_unary_rpc_method_handler(
            kms.decrypt, kms_v1.DecryptRequest.deserialize, kms_v1.DecryptResponse.serialize
        ),
    }
    server = grpc.server(ThreadPoolExecutor(max_workers=2))
    service = "google.cloud.kms.v1.KeyManagementService"
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield kms_v1.KeyManagementServiceClient(transport=KeyManagementServiceGrpcTransport(channel=channel))
    server.stop(None).wait()
