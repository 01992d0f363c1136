"""No function reads or writes across tenants (I27, R1).

A rival organization has the same people, addresses, ids and records. Whatever it asks, it is answered as if the other
one did not exist; and an organization that has none of the records hears of an id that exists elsewhere what it hears
of one that never existed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from shared.domain.ids import digest
from shared.domain.mailbox import mailbox_id
from shared.domain.people import Role, User
from shared.ports.documents import Delete
from shared.records.organizations import Organizations
from tests.isolation.company import HOME, PEOPLE
from tests.isolation.doors import FUNCTIONS, MANIFESTS, Stage
from tests.isolation.tries import EVERY_TRY, REACH_EVERYBODY, Try, play
from tests.mail_world import ANNA, BEN

RIVAL, NEWCOMER = "rival", "newcomer"
RECORDS = (
    "contacts", "companies", "opportunities", "quotes", "contracts", "invoices", "payments", "invoice_intents",
    "messages", "threads", "events", "meetings", "duplicates", "quarantine", "tasks", "mailboxes", "deliveries",
    "deal_money", "invoiced_quotes", "integration_log", "addresses", "audit",
)  # fmt: skip
ACCOUNTS = ("connections", "ledgers", "signing_services", "pipelines")
OWN = {NEWCOMER: frozenset({"ledger", "signing", "pipeline", "google"}), "bare": frozenset[str]()}
"""Organizations without the records, and what they have all the same: accounts at vendors, or not even those."""


def best_placed(tried: Try) -> User:
    """Somebody whom no role keeps from it."""
    return PEOPLE["admin"]


@pytest.fixture
def patch() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


def grant_finance(stage: Stage, tenant: str) -> None:
    organizations = Organizations(stage.store(tenant))
    known = organizations.stored()
    granted = replace(known.value, finance_roles=frozenset({Role.ADMIN}))
    stage.store(tenant).commit([organizations.updating(granted, known.version)])


def staged(patch: pytest.MonkeyPatch, *tenants: str) -> Stage:
    stage = Stage().wire(patch)
    for tenant in tenants:
        stage.founds(tenant)
        grant_finance(stage, tenant)
    return stage


def answered(answer: Any) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body. A cookie's end is by the wall clock of the framework."""
    headers = {name: re.sub("Expires=[^;]*; ", "", value) for name, value in answer.headers.items()}
    return answer.status_code, headers, answer.get_data()


# --------------------------------------------------------------------------------------------------- a full twin


def lived_through(stage: Stage, *tenants: str) -> dict[str, Any]:
    """Every try of every function, tenant after tenant, and what follows; returns what the last tenant was told."""
    told = {}
    for tried in EVERY_TRY:
        stage.clock.advance(61)
        turns = tenants[-1:] if tried in REACH_EVERYBODY else tenants
        for tenant in turns:
            ids = stage.companies[tenant].ids
            others = {
                other: stage.inside(other) for other in tenants if other != tenant and tried not in REACH_EVERYBODY
            }
            told[tried.name] = answered(play(stage, tried, tenant, best_placed(tried), ids))
            for other, before in others.items():
                assert stage.inside(other) == before, f"{tried.name} of {tenant} touched {other}"
    stage.works(lambda task: task.payload["tenant"] in stage.companies)
    return told


def test_a_rival_is_answered_as_if_it_were_alone(patch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    alone = staged(patch, RIVAL)
    for address in (ANNA, BEN):  # that a mailbox is read elsewhere too is told: its allowance at Google is divided (D6)
        alone.routes("gmail", address, "elsewhere", mailbox_id(address))
    expected = lived_through(alone, RIVAL)
    beside = staged(patch, HOME, RIVAL)
    told = lived_through(beside, HOME, RIVAL)
    for name, answer in expected.items():
        assert told[name] == answer, name
    assert beside.inside(RIVAL)["documents"] == alone.inside(RIVAL)["documents"]
    assert beside.inside(RIVAL) == alone.inside(RIVAL)
    assert {answer[0] for answer in told.values()} <= {200, 204, 303, 400, 401}


def test_every_function_is_tried() -> None:
    assert {tried.function for tried in EVERY_TRY} == set(MANIFESTS)


def test_every_argument_that_a_function_reads_is_tried() -> None:
    """What a function asks of a request or a payload is in one of its tries."""
    for function in MANIFESTS:
        source = (FUNCTIONS / function / "main.py").read_text()
        read = set(re.findall(r"argument\(request, \"(\w+)\"", source)) | set(
            re.findall(r"payload\[\"(\w+)\"\]", source)
        )
        given = {
            name for tried in EVERY_TRY if tried.function == function for name in (*tried.query, *(tried.body or {}))
        }
        assert read - {"tenant", "state"} <= given, function


# ------------------------------------------------------------------------------------------ ids of somebody else


def emptied(stage: Stage, tenant: str, collections: tuple[str, ...]) -> None:
    """The organization and its people stay; of its records there are none."""
    prefixes = tuple(f"tenants/{tenant}/{name}/" for name in collections)
    gone = [path for path in stage.documents.paths() if path.startswith(prefixes)]
    stage.documents.commit([Delete(path) for path in gone])


def never(ids: Mapping[str, str]) -> dict[str, str]:
    """Ids of the same shape that nobody ever had."""
    return {name: id_[:1] + digest("never", id_)[: max(8, len(id_) - 1)] for name, id_ in ids.items()}


@pytest.fixture(scope="module")
def stage_of_newcomers() -> Iterator[tuple[Stage, pytest.MonkeyPatch]]:
    with pytest.MonkeyPatch.context() as patch:
        stage = staged(patch, HOME, NEWCOMER, "bare")
        emptied(stage, NEWCOMER, RECORDS)
        emptied(stage, "bare", (*RECORDS, *ACCOUNTS))
        yield stage, patch


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """What an organization has now and had not before, as text."""
    told = {path: fields for path, fields in after["documents"].items() if before["documents"].get(path) != fields}
    return repr((told, after["queued"][len(before["queued"]) :], after["blobs"].keys() - before["blobs"].keys()))


@pytest.mark.parametrize(
    ("tenant", "tried"),
    [(tenant, tried) for tenant in OWN for tried in EVERY_TRY if tried.names - OWN[tenant]],
    ids=lambda given: given if isinstance(given, str) else given.name,
)
def test_an_id_of_another_organization_is_as_one_that_never_existed(
    stage_of_newcomers: tuple[Stage, pytest.MonkeyPatch],
    tenant: str,
    tried: Try,
    capsys: pytest.CaptureFixture[str],
) -> None:
    stage, _ = stage_of_newcomers
    foreign = stage.companies[HOME].ids
    unknown = {name: id_ if name in OWN[tenant] else never(foreign)[name] for name, id_ in foreign.items()}
    home, here = stage.inside(HOME), stage.inside(tenant)
    for who in ("admin", "finance", "owner"):
        theirs = answered(play(stage, tried, tenant, PEOPLE[who], foreign))
        after_theirs, logged_theirs = differences(here, stage.inside(tenant)), logged(capsys)
        here = stage.inside(tenant)
        nobodys = answered(play(stage, tried, tenant, PEOPLE[who], unknown))
        logged_nobodys = logged(capsys)
        here = stage.inside(tenant)

        def as_nobodys(text: str) -> str:
            for name in tried.names:
                text = text.replace(foreign[name], unknown[name])
            return text

        assert (theirs[0], as_nobodys(repr(theirs[1:]))) == (nobodys[0], repr(nobodys[1:]))
        assert stage.inside(HOME) == home
        assert HOME not in logged_theirs
        assert as_nobodys(logged_theirs) == logged_nobodys
        assert HOME not in after_theirs.replace("acme.example", "")


def logged(capsys: pytest.CaptureFixture[str]) -> str:
    """What was logged, without the times and random trace ids."""
    text = capsys.readouterr().out
    return re.sub(r'"(time|logging\.googleapis\.com/\w+)": "[^"]*"', "", text)
