"""The parts of a deploy: what it agrees on with the terraform sources, the smoke test, what is kept of a release."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from infra.deploy.checks import needed_services
from infra.deploy.cloud import Answer
from infra.deploy.complaints import explain
from infra.deploy.schema import code_schema, newer_than, raised, raises
from infra.deploy.smoke import domain_test, smoke_test
from infra.deploy.stage import ENVIRONMENT, PLAN, SETTINGS, stage, unzip, zipped
from infra.deploy.target import Target

ROOT = Path(__file__).parents[2]
INFRA = ROOT / "infra"
TARGET = Target("acme-crm", "europe-west1", "staging", "crm.example.com", ("ops@example.com",))


class Web:
    """Answers by the end of the path; each answer is used once, the last one stays."""

    def __init__(self, answers: Mapping[str, list[Answer]]) -> None:
        self._answers = {name: list(given) for name, given in answers.items()}

    def send(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Answer:
        given = self._answers[url.rpartition("/")[2]]
        return given.pop(0) if len(given) > 1 else given[0]


def answer(status: int, **headers: str) -> Answer:
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, b"")


def smoke(answers: Mapping[str, list[Answer]], public: list[str]) -> list[str]:
    found = smoke_test("https://base.example", answers, public, http=Web(answers), wait=lambda _: None)
    return [problem.sentence for problem in found]


# ------------------------------------------------------------------------------- agreed with the terraform sources


def test_every_variable_the_deploy_sets_is_one_of_the_sources(tmp_path: Path) -> None:
    (tmp_path / "bundles").mkdir()
    (tmp_path / "bundles" / "bundles.json").write_text("{}")
    stage(ROOT, tmp_path / "bundles", TARGET, "A1", tmp_path / "release")
    declared = set(re.findall(r'^variable "(\w+)"', (INFRA / "variables.tf").read_text(), re.MULTILINE))

    settings = json.loads((tmp_path / "release" / SETTINGS).read_text())
    environment = re.findall(r"^(\w+)\s*=", (tmp_path / "release" / ENVIRONMENT).read_text(), re.MULTILINE)

    assert {*settings, *environment} <= declared
    assert settings["public_base_url"] == "https://crm.example.com"
    required = declared - set(
        re.findall(r'^variable "(\w+)" {(?:(?!^}).)*?default', _variables(), re.MULTILINE | re.DOTALL)
    )
    assert required <= {*settings, *environment}


def _variables() -> str:
    return (INFRA / "variables.tf").read_text()


def test_the_state_bucket_is_the_one_that_holds_the_mark_of_the_environment() -> None:
    text = (INFRA / "environment.tf").read_text()

    assert TARGET.state_bucket == "acme-crm-throughline-state"
    assert '"${var.project_id}-throughline-state"' in text
    assert '"environments/${var.environment}"' in text


def test_the_outputs_that_the_smoke_test_reads_are_there() -> None:
    outputs = re.findall(r'^output "(\w+)"', (INFRA / "outputs.tf").read_text(), re.MULTILINE)

    assert {"functions_base_url", "public_functions"} <= set(outputs)


def test_the_apis_are_those_that_the_sources_turn_on() -> None:
    assert {"cloudfunctions.googleapis.com", "firestore.googleapis.com", "gmail.googleapis.com"} <= needed_services()


# ------------------------------------------------------------------------------------------------------------ releases


def test_a_release_holds_everything_that_terraform_reads(tmp_path: Path) -> None:
    (tmp_path / "bundles").mkdir()
    (tmp_path / "bundles" / "bundles.json").write_text("{}")
    (tmp_path / "bundles" / "gmail_push.zip").write_bytes(b"zip")

    stage(ROOT, tmp_path / "bundles", TARGET, "A1", tmp_path / "release")

    there = {
        str(path.relative_to(tmp_path / "release")) for path in (tmp_path / "release").rglob("*") if path.is_file()
    }
    sources = {str(path.relative_to(ROOT)) for path in INFRA.rglob("*.tf") if ".terraform" not in path.parts}
    manifests = {str(path.relative_to(ROOT)) for path in (ROOT / "functions").glob("*/function.yaml")}
    assert sources | manifests | {"firestore.rules", "firestore.indexes.json"} <= there
    assert "build/bundles/gmail_push.zip" in there
    assert not [path for path in there if path.endswith(".py")]


def test_a_kept_release_is_unpacked_as_it_was_without_the_plan_of_its_day(tmp_path: Path) -> None:
    (tmp_path / "bundles").mkdir()
    (tmp_path / "bundles" / "bundles.json").write_text("{}")
    stage(ROOT, tmp_path / "bundles", TARGET, "A1", tmp_path / "release")
    (tmp_path / "release" / "infra" / PLAN).write_text("a plan")
    (tmp_path / "release.zip").write_bytes(zipped(tmp_path / "release"))
    (tmp_path / "other" / "infra").mkdir(parents=True)
    (tmp_path / "other" / "infra" / "gone.tf").write_text("# of another release")

    unzip(tmp_path / "release.zip", tmp_path / "other")

    assert zipped(tmp_path / "other") == zipped(tmp_path / "release")
    assert not (tmp_path / "other" / "infra" / PLAN).exists()
    assert not (tmp_path / "other" / "infra" / "gone.tf").exists()


# ------------------------------------------------------------------------------------------------- the smoke test


def test_all_is_well_when_the_public_answer_and_the_others_refuse() -> None:
    not_found = answer(404, Content_Type="application/problem+json")
    page = answer(404, Content_Security_Policy="default-src 'none'")

    answers = {"hook": [answer(401)], "read": [not_found], "page": [page], "sync": [answer(403)]}

    assert smoke(answers, ["hook", "read", "page"]) == []


def test_a_revision_that_is_not_everywhere_yet_is_asked_again() -> None:
    assert smoke({"hook": [answer(503), answer(404), answer(401)]}, ["hook"]) == []


@pytest.mark.parametrize(
    ("given", "public", "sentence"),
    [
        (answer(500), True, "Function f answered 500."),
        (answer(404), True, "Function f is not there."),
        (Answer(0, {}, b"no route"), True, "Function f cannot be reached: no route."),
        (answer(204), False, "Function f answered 204 to somebody who proved nothing."),
        (answer(404), False, "Function f answered 404 to somebody who proved nothing."),
    ],
)
def test_what_does_not_work_is_told_by_function(given: Answer, public: bool, sentence: str) -> None:
    assert smoke({"f": [given]}, ["f"] if public else []) == [sentence]


@pytest.mark.parametrize("given", [Answer(0, {}, b"name not resolved"), answer(404), answer(502)])
def test_a_domain_that_leads_elsewhere_is_one_sentence(given: Answer) -> None:
    [problem] = domain_test("crm.example.com", ["hook"], http=Web({"hook": [given]}))

    assert problem.sentence.startswith("https://crm.example.com does not lead to the functions")


def test_a_domain_that_leads_to_the_functions_is_fine() -> None:
    assert domain_test("crm.example.com", ["hook"], http=Web({"hook": [answer(401)]})) == []


# ---------------------------------------------------------------------------------------------------------- documents


def test_every_kind_of_document_is_known_with_its_version() -> None:
    found = code_schema(ROOT)

    assert {"Contact", "MailboxRecord", "Delivery"} <= set(found)
    assert all(version >= 1 for version in found.values())


def test_versions_only_rise() -> None:
    assert raised({"A": 3, "B": 1}, {"B": 2, "C": 1}) == {"A": 3, "B": 2, "C": 1}
    assert raises({"A": 3, "B": 1}, {"B": 2, "C": 1}) == ["B"]
    assert list(newer_than({"A": 3, "Gone": 9}, {"A": 2})) == [("A", 3, 2)]


# --------------------------------------------------------------------------------------------------------- complaints


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (
            "ERROR: (gcloud.services.enable) PERMISSION_DENIED: Permission denied",
            "You may not do this in project acme-crm",
        ),
        (
            "Error 403: The caller lacks 'run.services.setIamPolicy' on it",
            "You lack the permission run.services.setIamPolicy",
        ),
        (
            "FAILED_PRECONDITION: Billing account for project '1' is not found.",
            "has no billing account that pays for it",
        ),
        ("Error 400: Billing must be enabled for activation of service", "has no billing account that pays for it"),
        (
            "Error: Secret projects/1/secrets/quickbooks-client/versions/latest was not found\n"
            "Error: Secret projects/1/secrets/google-client/versions/latest was not found",
            "Some secrets have no content yet, which Terraform never holds: google-client, quickbooks-client.",
        ),
        ("", "stopped with: no words at all"),
    ],
)
def test_a_complaint_becomes_a_sentence(said: str, sentence: str) -> None:
    assert sentence in explain(said, TARGET).sentence
