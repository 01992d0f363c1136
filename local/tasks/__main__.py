"""Run the Cloud Tasks emulator.

    python -m local.tasks --port 8203 --data DIR [--tombstone 3600] [--key PATH]

gRPC for the official client on --port, the admin face (admin.py) on the next port, both on 127.0.0.1 only. A client:

    CloudTasksClient(transport=CloudTasksGrpcTransport(channel=grpc.insecure_channel("127.0.0.1:8203")))

Tasks are sent as Cloud Tasks sends them: headers, retries, rates, deadlines, OIDC tokens signed by the key of --key.
DIR/tasks.sqlite3 keeps everything: after kill -9 and a restart nothing is lost, and tasks that were in flight are sent
again. A worker may therefore see a task twice, as it may in production.

The parts: model.py decides (no I/O; simulations drive it alone), store.py remembers what journal.py defines,
dispatcher.py and http_call.py send, grpc_face.py and messages.py speak with the client, admin.py with tests;
engine.py holds them together.
"""

from __future__ import annotations

import argparse
import logging
import signal
import socket
import sys
import threading
from pathlib import Path

from local.identity.keys import SigningKey
from local.tasks.admin import make_admin
from local.tasks.dispatcher import Dispatcher
from local.tasks.engine import Engine
from local.tasks.grpc_face import GrpcFace, make_server
from local.tasks.model import LONGEST_TOMBSTONE_S
from local.tasks.store import SqliteStore, StoreInUseError

GRACE_S = 1.0
POLL_S = 0.05


def main() -> int:
    """Serve until SIGTERM or SIGINT. Returns 0, or 2 if the data or a port belongs to somebody else."""
    options = _options()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())

    try:
        engine = Engine(SqliteStore(options.data / "tasks.sqlite3"), options.tombstone)
        _check_free(options.port)
        admin = make_admin(engine, options.port + 1)
        server, _ = make_server(GrpcFace(engine), options.port)
    except StoreInUseError as error:
        return _refuse(str(error))
    except OSError as error:
        return _refuse(f"cannot serve on 127.0.0.1, ports {options.port} and {options.port + 1}: {error}")

    key = SigningKey.load_or_create(options.key or options.data / "signing-key.pem")
    dispatcher = Dispatcher(engine, key.mint_service_token)
    dispatcher.start()
    server.start()
    threading.Thread(target=admin.serve_forever, args=(POLL_S,), daemon=True).start()
    sys.stdout.write(f"Cloud Tasks emulator: gRPC on 127.0.0.1:{options.port}, admin on {options.port + 1}\n")
    sys.stdout.flush()

    stop.wait()
    admin.shutdown()
    server.stop(GRACE_S).wait()
    dispatcher.stop()
    engine.close()
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.tasks", description="Cloud Tasks v2 emulator")
    parser.add_argument("--port", type=int, default=8203, help="gRPC; the admin face takes the next one")
    parser.add_argument("--data", type=Path, required=True, help="folder of the SQLite file")
    parser.add_argument(
        "--tombstone", type=_tombstone, help="seconds a used name is refused (default: as before, or 3600)"
    )
    parser.add_argument("--key", type=Path, help="PEM key for OIDC tokens (default: one in the data folder)")
    return parser.parse_args()


def _tombstone(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds <= LONGEST_TOMBSTONE_S:
        raise argparse.ArgumentTypeError(f"must be between 0 and {LONGEST_TOMBSTONE_S}")
    return seconds


def _check_free(port: int) -> None:
    """Raise OSError if the port is taken, before gRPC prints its own lines about it."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port in TIME_WAIT is free
        probe.bind(("127.0.0.1", port))


def _refuse(reason: str) -> int:
    sys.stderr.write(reason + "\n")
    return 2


if __name__ == "__main__":
    sys.exit(main())
