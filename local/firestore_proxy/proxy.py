"""A transparent gRPC proxy in front of the Firestore emulator, which answers with errors while it is told to.

Every method is passed on as bytes, streams of both kinds included, so nothing of Firestore's API is named here but
the one method whose answer can be lost: a commit that was made.

    with FirestoreProxy("127.0.0.1:8201") as proxy:
        ...FIRESTORE_EMULATOR_HOST = proxy.address...
        proxy.trouble = Trouble(grpc.StatusCode.UNAVAILABLE)
"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio

from local.cloud.ports import HOST

if TYPE_CHECKING:
    from grpc.aio import Metadata

COMMIT = "/google.firestore.v1.Firestore/Commit"
MAY_HAVE_HAPPENED = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED})
"""After these nobody knows whether a commit was made; ABORTED says that it was not."""

_UNLIMITED = (("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1))
_STOP_WITHIN_S = 5.0


@dataclass(frozen=True, slots=True)
class Trouble:
    """What calls are answered instead. share: of calls, 0 to 1. answers_lost: of the commits among these, the share
    that is made all the same, as far as the code leaves that open."""

    code: grpc.StatusCode
    share: float = 1.0
    answers_lost: float = 0.0


class FirestoreProxy:
    """Serves on a free port of loopback while its block runs, in a thread of its own.

    trouble: None is the ordinary day. troubled: answers so far by what they were: a code, or "answer lost".
    """

    def __init__(self, upstream: str, *, seed: int = 0) -> None:
        """upstream: "127.0.0.1:8201"; need not be there yet."""
        self.trouble: Trouble | None = None
        self.troubled: Counter[str] = Counter()
        self.address = ""
        self._upstream = upstream
        self._chance = Random(seed)  # noqa: S311 - faults, not secrets
        self._loop = asyncio.new_event_loop()
        self._serving = threading.Event()
        self._stopping = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="firestore-proxy", daemon=True)

    def __enter__(self) -> FirestoreProxy:
        self._thread.start()
        self._serving.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(_STOP_WITHIN_S)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())

    async def _serve(self) -> None:
        async with grpc.aio.insecure_channel(self._upstream, options=_UNLIMITED) as channel:
            server = grpc.aio.server(options=_UNLIMITED)
            server.add_generic_rpc_handlers((_EveryMethod(self, channel),))
            self.address = f"{HOST}:{server.add_insecure_port(f'{HOST}:0')}"
            await server.start()
            self._serving.set()
            await self._stopping.wait()
            await server.stop(grace=None)

    def fate_of(self, method: str) -> tuple[grpc.StatusCode | None, bool]:
        """The error a call is answered with, if any, and whether it is made before that."""
        trouble = self.trouble
        if trouble is None or self._chance.random() >= trouble.share:
            return None, False
        lost = method == COMMIT and trouble.code in MAY_HAVE_HAPPENED and self._chance.random() < trouble.answers_lost
        self.troubled["answer lost" if lost else trouble.code.name] += 1
        return trouble.code, lost


class _EveryMethod(grpc.GenericRpcHandler):  # type: ignore[misc]  # grpc has no type hints
    """On the wire a call with one message is a stream with one, so one kind of handler serves all four kinds."""

    def __init__(self, proxy: FirestoreProxy, channel: grpc.aio.Channel) -> None:
        self._proxy = proxy
        self._channel = channel

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        return grpc.stream_stream_rpc_method_handler(partial(self._forward, handler_call_details.method))

    async def _forward(
        self, method: str, requests: AsyncIterator[bytes], context: grpc.aio.ServicerContext[bytes, bytes]
    ) -> AsyncIterator[bytes]:
        code, made_all_the_same = self._proxy.fate_of(method)
        if code is not None and not made_all_the_same:
            await context.abort(code, "the proxy has trouble")
        passed_on = self._channel.stream_stream(method)(
            requests, timeout=context.time_remaining(), metadata=_own(context.invocation_metadata())
        )
        try:
            async for answer in passed_on:
                if not made_all_the_same:
                    yield answer
        except grpc.aio.AioRpcError as refused:
            context.set_trailing_metadata(_own(refused.trailing_metadata()))
            await context.abort(refused.code(), refused.details() or "")
        finally:
            with suppress(Exception):
                passed_on.cancel()
        if code is not None:
            await context.abort(code, "the proxy lost the answer")


def _own(metadata: Metadata | None) -> tuple[tuple[str, str | bytes], ...]:
    """Without what gRPC writes by itself."""
    return tuple(
        (key, value) for key, value in metadata or () if not key.startswith(("grpc-", ":")) and key != "user-agent"
    )
