"""DocuSign's own paths, refusals and pages, as a client and a person meet them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.emulators import free_port
from tests.local.docusign.world import ACCOUNT, SECOND_ACCOUNT, SEED, TEMPLATE, World

ENVELOPES = f"/na3/restapi/v2.1/accounts/{ACCOUNT}/envelopes"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}

DEFINITION: dict[str, Any] = {
    "status": "sent",
    "emailSubject": "Please sign",
    "templateId": TEMPLATE,
    "templateRoles": [
        {"roleName": "Customer", "name": "Kim", "email": "kim@customer.example"},
        {"roleName": "Acme", "name": "Ola", "email": "ola@acme.example"},
    ],
}


def call(
    world: World, method: str, path: str, body: Any = None, token: str | None = None
) -> tuple[int, dict[str, Any]]:
    headers = {"Authorization": f"Bearer {token or world.access_token()}"}
    status, content = world.ask(method, path, None if body is None else json.dumps(body), headers)
    return status, json.loads(content)


def test_an_envelope_is_created_and_listed(world: World) -> None:
    status, created = call(world, "POST", ENVELOPES, DEFINITION)
    assert (status, created["status"], created["uri"]) == (201, "sent", f"/envelopes/{created['envelopeId']}")
    _, listed = call(world, "GET", f"{ENVELOPES}?from_date=2026-03-01&count=1")
    assert (listed["resultSetSize"], listed["totalSetSize"], listed["endPosition"]) == ("1", "1", "0")
    assert "recipients" not in listed["envelopes"][0]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"templateId": "unknown"}, "TEMPLATE_ID_INVALID"),
        ({"templateRoles": DEFINITION["templateRoles"][:1]}, "ENVELOPE_IS_INCOMPLETE"),
        ({"emailSubject": ""}, "ENVELOPE_IS_INCOMPLETE"),
        ({"emailSubject": "x" * 101}, "INVALID_REQUEST_PARAMETER"),
        ({"status": "delivered"}, "INVALID_REQUEST_PARAMETER"),
        ({"customFields": {"textCustomFields": [{"name": "a", "value": "x" * 101}]}}, "INVALID_REQUEST_PARAMETER"),
        ({"eventNotification": {"url": "ftp://crm.example"}}, "INVALID_REQUEST_PARAMETER"),
        (
            {
                "eventNotification": {
                    "url": "https://crm.example",
                    "deliveryMode": "SIM",
                    "eventData": {"format": "json"},
                    "events": ["envelope-cooked"],
                }
            },
            "INVALID_REQUEST_PARAMETER",
        ),
        ({"eventNotification": {"url": "https://crm.example"}}, "NOT_SIMULATED"),
        ({"brandId": "b1"}, "NOT_SIMULATED"),
    ],
)
def test_a_definition_that_is_wrong_is_refused(world: World, changes: dict[str, Any], code: str) -> None:
    status, refusal = call(world, "POST", ENVELOPES, {**DEFINITION, **changes})
    assert (status >= 400, refusal["errorCode"]) == (True, code)
    assert list(world.simulator.envelopes) == []


def test_a_role_that_fits_no_template_becomes_a_stranger_without_fields(world: World) -> None:
    stranger = {
        "roleName": "customer",
        "name": "Max",
        "email": "max@customer.example",
        "tabs": {"textTabs": [{"tabLabel": "Company", "value": "Max Ltd"}]},
    }
    roles = [*DEFINITION["templateRoles"], stranger]
    assert call(world, "POST", ENVELOPES, {**DEFINITION, "templateRoles": roles})[0] == 201
    (envelope,) = world.simulator.envelopes
    assert [(one.role, one.tabs) for one in envelope.recipients] == [("Customer", {}), ("Acme", {}), ("customer", {})]


def test_a_value_under_the_wrong_kind_of_field_is_passed_over_in_silence(world: World) -> None:
    first, second = DEFINITION["templateRoles"]
    tabs = {"textTabs": [{"tabLabel": "Amount", "value": "1"}, {"tabLabel": "Company", "value": "Kim Ltd"}]}
    call(world, "POST", ENVELOPES, {**DEFINITION, "templateRoles": [{**first, "tabs": tabs}, second]})
    (envelope,) = world.simulator.envelopes
    assert envelope.recipients[0].tabs == {"Company": "Kim Ltd"}


def test_a_token_opens_its_users_accounts_only_and_at_their_own_site(world: World) -> None:
    assert call(world, "GET", f"{ENVELOPES}/e1", token="stale")[1]["errorCode"] == "AUTHORIZATION_INVALID_TOKEN"
    elsewhere = f"/na3/restapi/v2.1/accounts/{SECOND_ACCOUNT}/templates"
    assert call(world, "GET", elsewhere)[1]["errorCode"] == "ACCOUNT_DOES_NOT_EXIST_IN_SYSTEM"
    account_id = world.control("accounts", {"name": "Somebody else's"})["account_id"]
    refused = call(world, "GET", f"/na3/restapi/v2.1/accounts/{account_id}/templates")[1]
    assert refused["errorCode"] == "USER_DOES_NOT_BELONG_TO_SPECIFIED_ACCOUNT"


def test_an_envelope_of_another_account_does_not_exist(world: World) -> None:
    _, created = call(world, "POST", ENVELOPES, DEFINITION)
    path = f"/eu/restapi/v2.1/accounts/{SECOND_ACCOUNT}/envelopes/{created['envelopeId']}"
    assert call(world, "GET", path)[1]["errorCode"] == "ENVELOPE_DOES_NOT_EXIST"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"{ENVELOPES}/e1/recipients"),
        ("DELETE", ENVELOPES),
        ("GET", "/restapi/v2.1/login_information"),
        ("GET", "/oauth/logout"),
    ],
)
def test_a_call_it_does_not_know_is_refused_loudly(world: World, method: str, path: str) -> None:
    status, refusal = call(world, method, path)
    assert (status, refusal["errorCode"]) == (501, "NOT_SIMULATED")
    assert "teach it" in refusal["message"]


def test_another_resource_of_an_envelope_may_be_read_at_once_and_the_end_lifts_the_rule(world: World) -> None:
    _, created = call(world, "POST", ENVELOPES, DEFINITION)
    one = f"{ENVELOPES}/{created['envelopeId']}"
    assert call(world, "GET", one)[0] == 200
    assert world.ask("GET", f"{one}/documents/certificate", headers=_bearer(world))[0] == 200
    assert call(world, "GET", f"{one}?include=recipients")[1]["errorCode"] == "Hourly_Envelope_Polling_Limit_Exceeded"
    world.control("robot", {"envelope": created["envelopeId"]})
    assert [call(world, "GET", one)[0] for _ in range(2)] == [200, 200]
    assert world.control("limits")["refused"] == {"Hourly_Envelope_Polling_Limit_Exceeded": 1}


def _bearer(world: World) -> dict[str, str]:
    return {"Authorization": f"Bearer {world.access_token()}"}


# --------------------------------------------------------------------------------------------------------------- people


def test_a_person_opens_the_link_of_the_mail_and_signs(world: World) -> None:
    world.signing().send(world.request())
    place = f"/signing/{world.simulator.mails[0]['key']}"
    status, page = world.ask("GET", place)
    assert status == 200
    assert "You sign as Kim Customer (Customer)." in page
    assert "Customer Ltd" in page
    (envelope,) = world.simulator.envelopes
    assert envelope.recipients[0].status == "delivered"
    assert world.ask("POST", place, "action=sign", FORM)[0] == 302
    assert "This envelope is sent" in world.ask("GET", place)[1]
    assert envelope.recipients[0].status == "completed"


def test_a_person_declines_with_a_reason_and_nobody_can_sign_any_more(world: World) -> None:
    world.signing().send(world.request())
    place = f"/signing/{world.simulator.mails[0]['key']}"
    world.ask("POST", place, "action=decline&reason=Too+expensive", FORM)
    (envelope,) = world.simulator.envelopes
    assert (envelope.status, envelope.recipients[0].declined_reason) == ("declined", "Too expensive")
    assert "That is not possible" in world.ask("POST", place, "action=sign", FORM)[1]
    assert "nothing to sign" in world.ask("GET", "/signing/unknown")[1]


def test_an_embedded_link_works_once_and_for_five_minutes(world: World) -> None:
    first, second = DEFINITION["templateRoles"]
    roles = [{**first, "clientUserId": "c1"}, second]
    _, created = call(world, "POST", ENVELOPES, {**DEFINITION, "templateRoles": roles})
    view = {
        "returnUrl": "https://crm.example/back?c=1",
        "clientUserId": "c1",
        "userName": "Kim",
        "email": "kim@customer.example",
    }
    path = f"{ENVELOPES}/{created['envelopeId']}/views/recipient"
    link, late = (call(world, "POST", path, view)[1]["url"].removeprefix(world.url) for _ in range(2))
    assert world.ask("GET", link)[0] == 302
    assert "used already" in world.ask("GET", link)[1]
    world.clock.advance(301)
    assert world.ask("GET", late) == (302, "https://crm.example/back?c=1&event=ttl_expired")


def test_the_page_shows_envelopes_signers_and_notices(world: World) -> None:
    world.signing().send(world.request(subject="<b>Sign</b>"))
    world.deliver()
    _, page = world.ask("GET", "/")
    assert "&lt;b&gt;Sign&lt;/b&gt;" in page
    assert "<td>kim@customer.example</td><td>sent</td>" in page
    assert "<td>recipient-sent</td>" in page


@pytest.mark.parametrize(
    ("path", "body", "sentence"),
    [
        ("act", {"envelope": "e", "recipient": "1", "action": "sign"}, "no such envelope"),
        ("robot", {}, "envelope is missing"),
        ("connect", {"next": "lose"}, "disturbed by"),
        ("connect", {"next": "delay"}, "needs delay_s"),
        ("faults", {"call": "envelopes.fly", "status": 500}, "fault's call"),
        ("faults", {"call": "*"}, "needs a status"),
        ("faults", {"kind": "x"}, "has the fields"),
        ("users", {"name": "Max", "email": "max@acme.example"}, "accounts that exist"),
        ("templates", {"account_id": ACCOUNT, "name": "Empty"}, "needs roles"),
        ("clients", {"client_id": "c"}, "needs client_id"),
        ("keys", {"account_id": "unknown"}, "no such account"),
        ("tokens", {"client_id": "c", "user_id": "u"}, "names nobody"),
    ],
)
def test_a_control_call_that_cannot_be_done_says_why(
    world: World, path: str, body: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(AssertionError, match=sentence):
        world.control(path, body)


def test_a_signer_cannot_do_what_is_not_in_a_signers_power(world: World) -> None:
    envelope_id = world.signing().send(world.request()).envelope_id
    with pytest.raises(AssertionError, match="a signer can view, sign"):
        world.control("act", {"envelope": envelope_id, "recipient": "41", "action": "void"})
    with pytest.raises(AssertionError, match="out of sequence"):
        world.control("act", {"envelope": envelope_id, "recipient": "7", "action": "sign"})


# ---------------------------------------------------------------------------------------------------------- the process


def _start(folder: Path, port: int, seed: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "local.docusign", "--port", str(port), "--data", str(folder), "--seed", str(seed)]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=dict(os.environ))


def test_the_process_sends_notices_by_itself_and_leaves_cleanly(world: World, tmp_path: Path) -> None:
    seed, port = tmp_path / "seed.json", free_port()
    clients = [{"client_id": "c1", "client_secret": "hush", "redirect_uris": ["https://crm.example/back"]}]
    seed.write_text(json.dumps({**SEED, "clients": clients}))
    process = _start(tmp_path / "data", port, seed)
    other = World()
    other.url = f"http://127.0.0.1:{port}"
    try:
        while True:
            try:
                token = other.control("tokens", {"client_id": "c1", "user_id": SEED["users"][0]["user_id"]})
                break
            except ConnectionRefusedError:
                assert process.poll() is None
        wish = {
            "url": world.receiver.url,
            "deliveryMode": "SIM",
            "requireAcknowledgment": "true",
            "eventData": {"format": "json"},
            "events": ["envelope-sent"],
        }
        definition = {**DEFINITION, "eventNotification": wish}
        assert call(other, "POST", ENVELOPES, definition, token["access_token"])[0] == 201
        while json.loads(other.ask("GET", "/control/connect")[1])["waiting"]:
            assert process.poll() is None
        assert world.receiver.events == ["envelope-sent"]
        (line,) = (tmp_path / "data" / "connect.jsonl").read_text().splitlines()
        assert json.loads(line)["outcome"] == "delivered"
    finally:
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (0, "")


def test_a_seed_that_cannot_be_used_is_one_sentence(tmp_path: Path) -> None:
    seed = tmp_path / "seed.json"
    seed.write_text('{"envelopes": []}')
    process = _start(tmp_path, free_port(), seed)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 1
    assert errors.startswith("the simulated DocuSign cannot start: a seed has accounts")
