"""After runs of mail and of quote to cash nothing that was logged, parked or counted tells what it was about (I28)."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from tests.cash_world import WORKED_EXAMPLE, sold
from tests.contract_world import contract_world, line
from tests.fake_signing import KEYS
from tests.hostile.cloud import Cloud
from tests.hostile.sent import Sent
from tests.hostile.test_endpoints import send
from tests.hostile.traces import texts_of, told
from tests.mail_world import ANNA, BEN, CARL, mail_world

KEPT_FOR_OPERATORS = ("/quarantine/", "/outbox/", "/integration_log/", "/calls/")
SUBJECT, WORDS = "Aardvark prices for autumn", "The badger contract says seventeen llamas"


def test_a_run_of_mail_tells_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    world = mail_world()
    for number in range(5):
        world.arrives(subject=f"{SUBJECT} {number}", text=WORDS, sender=f"Carl Customer <{CARL}>")
        world.sends(subject=f"Re: {SUBJECT} {number}", text=WORDS)
    world.arrives(subject=SUBJECT, text=WORDS, sender="Mallory <mallory@stranger.example>")
    world.sync()
    world.sync(BEN)
    world.backfill()
    world.google.end_grants(ANNA)
    world.passes(timedelta(minutes=20))
    traces = capsys.readouterr().out + operators(world.memory.dump())
    assert traces.count("message.logged") >= 10
    private = [ANNA, BEN, CARL, SUBJECT, WORDS, "Aardvark", "badger", "llamas", "Mallory", "Customer <"]
    assert told(traces, [*private, *world.google.minted]) == []


def test_a_run_of_quote_to_cash_tells_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    contracts, cash = contract_world(), sold(*WORKED_EXAMPLE, tax=8)
    contracts.signed(line(1, "100.00", name="aardvark"), memo=WORDS)
    cash.wins()
    cash.hears_all()
    documents = {**contracts.documents.dump(), **cash.documents.dump()}  # type: ignore[attr-defined]  # both in memory
    traces = capsys.readouterr().out + operators(documents)
    assert "contract.sent" in traces
    assert "invoice.created" in traces
    addresses = {text for fields in documents.values() for text in texts_of(fields) if "@" in text}
    links = [sent.link for sent in contracts.mailed]
    names = ["aardvark", "badger", "llamas", "Carla", "Globex", "Sam Signer"]
    assert told(traces, [*addresses, *names, *KEYS, *links]) == []


def test_what_strangers_send_is_never_logged(cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    private = ["mallory@stranger.example", "token-of-mallory", "seventeen llamas"]
    body = json.dumps({"key": private[1], "deal": private[2], "memo": private[0]}).encode()
    headers = {"Authorization": f"Bearer {private[1]}", "Cookie": private[1], "X-Forwarded-For": private[0]}
    for function in ("quote_write", "docusign_webhook", "quickbooks_webhook", "calendar_push", "mailbox_sync"):
        send(function, Sent("POST", f"/{private[1]}", (("state", private[1]),), {}, body), headers)
    for function in ("quickbooks_webhook", "docusign_webhook", "quote_write", "contacts_import", "mailbox_sync"):
        path, proof = cloud.proof(function, body, "u-ada")
        send(function, Sent("POST", None, (("q", private[0]),), {"Content-Type": "text/plain"}, body), proof, path)
    logged = capsys.readouterr()
    traces = logged.out + logged.err + operators(cloud.documents.dump())
    cloud.documents.restore()
    assert "proof.refused" in traces
    assert "work.parked" in traces
    assert told(traces, [*private, *cloud.secrets - {"Traceback"}]) == []


@pytest.mark.parametrize("hidden", ["Y2FybEBjdXN0b21lci5leGFtcGxl", "carl%40customer.example", "CARL@CUSTOMER.example"])
def test_the_search_finds_what_is_there(hidden: str) -> None:
    assert told(f'{{"message": "x", "id": "{hidden}"}}', [CARL])
    assert told("somebody@elsewhere.example wrote", []) == ["somebody@elsewhere.example"]
    assert told("functions@project.iam.gserviceaccount.com", [CARL]) == []


def operators(documents: dict[str, dict[str, object]]) -> str:
    """What people who run the product read: parked work, promises, calls to vendors."""
    return repr({path: fields for path, fields in documents.items() if any(one in path for one in KEPT_FOR_OPERATORS)})
