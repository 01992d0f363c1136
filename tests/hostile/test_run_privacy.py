"""The logs of a whole run of the laptop cloud, mail and quote to cash, tell nothing of what they were about (I28)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from local.sample.load import load_sample
from tests.e2e.conftest import Runs
from tests.hostile.traces import texts_of, told

pytestmark = [pytest.mark.e2e, pytest.mark.emulator, pytest.mark.timeout(240)]


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Runs]:
    ours = Runs(tmp_path / "data")
    yield ours
    ours.end_all()


def test_the_functions_of_a_whole_run_log_no_token_address_or_subject(runs: Runs) -> None:
    ended = runs.to_the_end(ONCE="1")
    assert ended.code == 0, ended.err[-2_000:]
    logged = (runs.data / "logs" / "functions.log").read_text(errors="replace")
    assert logged.count("message.logged") > 20
    assert "contract.sent" in logged
    secrets, lines = secrets_of(runs.data), subjects()
    assert len(secrets) > 10
    assert len(lines) > 20
    assert told(logged, secrets | lines) == []


def secrets_of(data: Path) -> set[str]:
    """Client secrets, keys, tokens and addresses that the cloud's files hold."""
    found = {text for path in data.glob("*.json") for text in texts_of(json.loads(path.read_text()))}
    return {text for text in found if "@" in text or (len(text) >= 20 and not text.startswith("http"))}


def subjects() -> set[str]:
    raw = [mail.raw for mails in load_sample(datetime.now(UTC)).mailboxes.values() for mail in mails]
    lines = [line for one in raw if isinstance(one, bytes) for line in one.decode("utf-8", "replace").splitlines()]
    return {line.partition(":")[2].strip() for line in lines if line.lower().startswith("subject:") and len(line) > 20}
