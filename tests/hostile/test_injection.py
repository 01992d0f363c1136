"""Line ends and formulas in what people and strangers write end nothing early: no header, no line, no cell."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from shared.domain.cash.signing import Signer
from shared.providers.docusign.mapping import one_line
from shared.providers.quickbooks.writing import display_name
from shared.web_page import HEADERS, download
from tests.contract_world import contract_world, line
from tests.hostile.cloud import Cloud
from tests.hostile.sent import Sent
from tests.hostile.test_endpoints import send

ENDINGS = ["\r\n", "\n", "\r", "\x00", "\x0b", "\x0c", "\x85", "\u2028", "\u2029", "\t\n"]
BCC = "Bcc: everybody@evil.example"


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_signers_name_cannot_add_a_header_to_the_mail_that_asks_for_the_signature(ending: str) -> None:
    world = contract_world()
    contract = world.contracts(world.accepted(line(1, "100.00")))
    hostile = tuple(replace(signer, name=f"{signer.name}{ending}{BCC}") for signer in contract.signers)
    world.sends(world.changes_signers(contract, hostile))
    [envelope] = world.docusign.envelopes()
    names = [recipient.name for recipient in envelope.recipients]
    assert len(names) == 2
    assert all(name.isprintable() and BCC in name for name in names)
    assert envelope.subject.isprintable()


@pytest.mark.parametrize("ending", ENDINGS)
def test_names_that_ledgers_print_are_one_line(ending: str) -> None:
    for made in (one_line(f"Carla{ending}{BCC}"), display_name(f"Carla{ending}{BCC}")):
        assert made.isprintable()
        assert made.startswith("Carla ")


def test_a_signer_is_shown_as_written_when_nothing_is_wrong() -> None:
    signer = Signer("1", "Customer", "Zoë O’Neil-Σmith", "zoe@globex.example", 1)
    assert one_line(signer.name) == signer.name


@pytest.mark.parametrize("text", ["a\r\nSet-Cookie: b=c", "a\nLocation: https://evil.example", 'a"; filename="b.exe'])
def test_no_argument_comes_back_in_a_header(cloud: Cloud, text: str) -> None:
    path, _ = cloud.proof("quote_page", b"", "u-ada")
    asked = (("open", text), ("document", text), ("provider", text), ("state", text), ("deed", text))
    for function, where in (("quote_page", path), ("connections", "/n" + "0" * 32), ("oauth_callback", "/")):
        for method in ("GET", "POST"):
            form = {"Content-Type": "application/x-www-form-urlencoded"}
            answer = send(function, Sent(method, where, asked, form, f"deed={text}&name={text}".encode()), {}, where)
            told = json.dumps([list(pair) for pair in answer.headers])
            assert "evil" not in told
            assert "Set-Cookie" not in answer.headers
            assert ".exe" not in told


def test_a_download_is_kept_and_never_shown() -> None:
    answer = download("QT-1.pdf", b"%PDF", "application/pdf")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="QT-1.pdf"'
    assert HEADERS.items() <= dict(answer.headers).items()
    with pytest.raises(ValueError, match="newline"):
        download("a\r\nSet-Cookie: b=c", b"", "application/pdf")
