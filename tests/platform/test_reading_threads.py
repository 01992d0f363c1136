"""Reading a document is the product's most frequent call, and starts no thread."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.emulators import firestore_emulator

pytestmark = pytest.mark.emulator

PROGRAM = """
import threading

from shared import wiring
from shared.ports.documents import Merge, Query

documents = wiring.documents()
documents.commit([Merge("a/b", {"n": 1})])
documents.get("a/b")
started, start = [], threading.Thread.start


def counted(thread):
    started.append(thread)
    start(thread)


threading.Thread.start = counted
for _ in range(20):
    assert documents.get("a/b").fields == {"n": 1}
    assert len(documents.find(Query("a"))) == 1
print(len(started))
"""


def test_reads_start_no_threads() -> None:
    with firestore_emulator() as host:
        environment = {**os.environ, "FIRESTORE_EMULATOR_HOST": host, "GOOGLE_CLOUD_PROJECT": "threads"}
        ran = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True
        )

    assert ran.stdout.strip() == "0"
