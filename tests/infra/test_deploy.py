"""`make deploy`: what it looks at first, what it does, and where it leaves things when something fails on the way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from infra.deploy.problems import DeployError
from infra.deploy.steps import back_to, checked, planned
from infra.deploy.target import Target
from tests.infra.deploy_world import BUCKET, PROJECT, REGION, Stage, _change, stage

STAGING = Target(PROJECT, REGION, "staging")
PERMISSION = (
    "Error: googleapi: Error 403: Permission 'cloudtasks.queues.create' denied on resource (or it may not exist)."
)


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Stage]:
    with stage(tmp_path) as made:
        yield made


def problems_of(cloud: Stage, target: Target = STAGING, *, schema: dict[str, int] | None = None) -> str:
    with pytest.raises(DeployError) as stopped:
        checked(cloud.world(target, schema=schema))
    return str(stopped.value)


def deploy_fails(cloud: Stage, target: Target = STAGING, *, schema: dict[str, int] | None = None) -> str:
    with pytest.raises(DeployError) as stopped:
        cloud.deploy(target, schema=schema)
    return str(stopped.value)


# ------------------------------------------------------------------------------------------------------------- checks


def test_nothing_is_missing(cloud: Stage) -> None:
    found = checked(cloud.world())

    assert found.problems == ()
    assert found.billing_account == "A1"


def test_checking_changes_nothing(cloud: Stage) -> None:
    checked(cloud.world())

    changing = {"enable", "create", "update", "cp", "apply", "init"}
    assert not [call for call in cloud["calls"] if changing & set(call)]


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        (replace(STAGING, project="Acme CRM"), "'Acme CRM' is no project id"),
        (replace(STAGING, region="nam5"), "'nam5' is no region"),
        (replace(STAGING, environment="testing"), "no environment 'testing'; there are: production, staging"),
        (replace(STAGING, domain="https://crm.example.com/"), "is no domain: give the bare name"),
        (replace(STAGING, alert_emails=("nobody",)), "ALERT_EMAILS holds something that is no address"),
        (replace(STAGING, domain="crm.elsewhere.example"), "not proven to Google that crm.elsewhere.example is yours"),
        (replace(STAGING, environment="production"), "production raises alerts, and nobody would hear them"),
    ],
)
def test_a_wrong_word_is_one_sentence(cloud: Stage, target: Target, sentence: str) -> None:
    assert sentence in problems_of(cloud, target)


def test_a_domain_below_a_proven_one_is_fine(cloud: Stage) -> None:
    assert checked(cloud.world(replace(STAGING, domain="crm.example.com"))).problems == ()


def test_missing_tools_are_named_with_how_to_get_them(cloud: Stage, tmp_path: Path) -> None:
    for name in ("gcloud", "terraform"):
        (tmp_path / "bin" / name).unlink()
    cloud.world()
    world = cloud.world()
    nowhere = world.commands.with_variables({"PATH": str(tmp_path / "bin")})

    with pytest.raises(DeployError) as stopped:
        checked(replace(world, commands=nowhere))

    assert "The Google Cloud CLI is missing.\n    curl" in str(stopped.value)
    assert "Terraform 1.9 or newer is missing." in str(stopped.value)


def test_an_old_terraform_is_named(cloud: Stage) -> None:
    cloud["terraform_version"] = "1.5.7"

    assert "Terraform is older than 1.9." in problems_of(cloud)


@pytest.mark.parametrize(
    "said",
    [
        "ERROR: (gcloud.auth.print-access-token) You do not currently have an active account selected.",
        "ERROR: ('invalid_grant: Invalid JWT Signature.', {'error': 'invalid_grant'})",
        "ERROR: Reauthentication required. Please run: gcloud auth login",
    ],
)
def test_an_expired_key_or_sign_in_is_one_sentence(cloud: Stage, said: str) -> None:
    cloud.fail_once("auth print-access-token", said)

    told = problems_of(cloud)

    assert "Your sign-in with Google has ended, or the service account's key has expired or was deleted." in told
    assert "gcloud auth login" in told
    assert checked(cloud.world()).problems == ()


def test_a_project_that_is_not_there_or_not_yours(cloud: Stage) -> None:
    cloud.fail_once("projects describe", "ERROR: ada@example.com does not have permission to access projects instance")

    assert f"There is no project {PROJECT}, or you may not see it." in problems_of(cloud)


def test_everything_that_is_missing_is_told_at_once(cloud: Stage) -> None:
    cloud["billing"] = {"billingEnabled": False}
    cloud["databases"] = [{"name": "projects/acme-crm/databases/(default)", "locationId": "nam5"}]
    cloud.served.permissions.remove("cloudkms.cryptoKeys.create")
    cloud.put("environments/production", "")

    told = problems_of(cloud)

    assert f"Project {PROJECT} has no billing account that pays for it." in told
    assert f"gcloud billing projects link {PROJECT}" in told
    assert "You lack 1 of the" in told
    assert "cloudkms.cryptoKeys.create" in told
    assert f"Firestore of {PROJECT} lies in nam5, which can never be changed" in told
    assert "already belongs to the environment production. Gmail keeps one watch per mailbox" in told


def test_a_quota_that_the_warm_instances_would_exceed(cloud: Stage) -> None:
    cloud.served.cpu = "20000"
    alerts = replace(STAGING, environment="production", alert_emails=("ops@example.com",))

    assert f"120 instances are kept warm, and {PROJECT} may use 20 processors in {REGION}." in problems_of(
        cloud, alerts
    )
    assert checked(cloud.world()).problems == ()


def test_a_quota_google_does_not_tell_is_said_and_stops_nothing(cloud: Stage) -> None:
    cloud.served.cpu = None

    checked(cloud.world())

    assert "Google did not tell the quota of processors" in cloud.said[0]


def test_documents_newer_than_the_code_stop_the_deploy(cloud: Stage) -> None:
    cloud.put("releases/schema.json", '{"Contact": 3}')

    told = problems_of(cloud, schema={"Contact": 2})

    assert "Documents of the kind Contact are stored in version 3; this code knows them up to version 2" in told


def test_older_documents_are_mentioned_and_deployed_over(cloud: Stage) -> None:
    cloud.put("releases/schema.json", '{"Contact": 1}')

    cloud.deploy(schema={"Contact": 2})

    assert "Documents of the kind Contact are stored in version 1; they are read as version 2" in cloud.said[0]
    assert cloud.kept("schema.json") == {"Contact": 2}


# ------------------------------------------------------------------------------------------------------------- deploy


def test_an_empty_project_is_deployed_by_one_command(cloud: Stage) -> None:
    cloud["services"] = []

    release = cloud.deploy()

    assert "firestore.googleapis.com" in cloud["services"]
    assert cloud.called(f"storage buckets create gs://{BUCKET} --project={PROJECT} --location={REGION}")
    assert cloud.called(f"init -input=false -reconfigure -backend-config=bucket={BUCKET}")
    assert [set(one) for one in cloud["applied"]] == [{"note_keep", "note_sync"}]
    assert cloud.kept("current.json") == {"release": release}
    assert cloud.said[-1] == f"Release {release} runs."


def test_the_same_code_is_the_same_release(cloud: Stage) -> None:
    first = cloud.deploy()
    assert cloud.deploy() == first
    cloud.change_the_code("second")
    assert cloud.deploy() != first


def test_a_plan_that_deletes_data_is_not_applied(cloud: Stage) -> None:
    cloud["changes"] = [_change("google_firestore_database.default", ["delete", "create"])]

    assert "The plan deletes what holds data: google_firestore_database.default. Nothing was changed." in deploy_fails(
        cloud
    )
    assert cloud["applied"] == []


def test_a_plan_tells_what_it_deletes(cloud: Stage) -> None:
    cloud["changes"] = [_change("google_pubsub_topic.old", ["delete"]), _change("google_pubsub_topic.new", ["create"])]

    planned(cloud.world())

    assert any(
        line.startswith("Terraform plans: 1 to create, 0 to change, 0 to replace, 1 to delete.") for line in cloud.said
    )
    assert "  deleted: google_pubsub_topic.old" in cloud.said


# -------------------------------------------------------------------------------------------------- failing half-way


def test_a_half_applied_first_deploy_is_finished_by_the_same_command(cloud: Stage) -> None:
    cloud.fail_once("apply -input=false", PERMISSION)

    told = deploy_fails(cloud)

    assert f"You lack the permission cloudtasks.queues.create in project {PROJECT}." in told
    assert "There is no earlier release to go back to; what was made so far is kept." in told
    release = cloud.deploy()
    assert cloud.kept("current.json") == {"release": release}


def test_a_release_that_cannot_be_applied_gives_way_to_the_one_before(cloud: Stage) -> None:
    first = cloud.deploy()
    before = cloud["applied"][-1]
    cloud.change_the_code("second")
    cloud.fail_once("apply -input=false", PERMISSION)

    told = deploy_fails(cloud)

    assert f"Release {first} runs again, as before." in told
    assert cloud["applied"][-1] == before
    assert cloud.kept("current.json") == {"release": first}
    assert cloud.deploy() != first


def test_a_release_that_does_not_answer_gives_way_to_the_one_before(cloud: Stage) -> None:
    first = cloud.deploy()
    before = cloud["applied"][-1]
    cloud.change_the_code("second")
    cloud.served.broken = lambda: cloud["applied"][-1] != before

    told = deploy_fails(cloud)

    assert "Function note_keep answered 500." in told
    assert f"Release {first} runs again, as before." in told
    assert cloud["applied"][-1] == before
    assert cloud.kept("current.json") == {"release": first}


def test_a_way_back_that_fails_as_well_is_told_with_the_command_that_tries_it_again(cloud: Stage) -> None:
    first = cloud.deploy()
    cloud.change_the_code("second")
    cloud.served.broken = lambda: True

    told = deploy_fails(cloud)

    assert f"Going back to release {first} failed as well: Function note_keep answered 500." in told
    assert f"make deploy ... ROLLBACK={first}" in told


def test_nothing_is_taken_back_once_documents_may_be_newer_than_the_code_before(cloud: Stage) -> None:
    first = cloud.deploy(schema={"Contact": 1})
    cloud.change_the_code("second")
    cloud.served.statuses["note_keep"] = 500

    told = deploy_fails(cloud, schema={"Contact": 2})

    assert (
        f"Nothing was taken back: Contact may already be stored in a version that release {first} cannot read." in told
    )
    assert len(cloud["applied"]) == 2
    assert "Documents of the kind Contact are stored in version 2" in problems_of(cloud, schema={"Contact": 1})


def test_a_release_that_repeats_itself_is_not_gone_back_to(cloud: Stage) -> None:
    first = cloud.deploy()
    cloud.served.statuses["note_keep"] = 503

    assert f"Release {first} is also the one that ran before; nothing was taken back." in deploy_fails(cloud)


def test_a_lock_that_somebody_holds_changes_nothing(cloud: Stage) -> None:
    cloud.deploy(schema={"Contact": 1})
    cloud.change_the_code("second")
    cloud.fail_once("apply -input=false", "Error: Error acquiring the state lock\n\nLock Info:\n  ID:        1733-ab\n")

    told = deploy_fails(cloud, schema={"Contact": 2})

    assert "Another deploy of this project is running" in told
    assert "force-unlock 1733-ab" in told
    assert len(cloud["applied"]) == 1
    assert cloud.kept("schema.json") == {"Contact": 1}


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("Error: Saved plan is stale", "Something was deployed after this plan was made"),
        (
            "Error 403: Cloud Tasks API has not been used in project 1 before or it is disabled. Enable it by visiting "
            "https://console.developers.google.com/apis/api/cloudtasks.googleapis.com/overview?project=1",
            "The API cloudtasks.googleapis.com is not on yet",
        ),
        ("Error: Quota exceeded for quota metric 'Write requests'", "A quota of project acme-crm is used up"),
        (
            "Error 400: One or more users named in the policy do not belong to a permitted customer.",
            "Your organization forbids functions that everybody may call",
        ),
        ('Error: oauth2: "invalid_grant" "reauth related error (invalid_rapt)"', "Your sign-in with Google has ended"),
        ("╷\n│ Error: Something nobody has seen before\n│\n", "stopped with: Error: Something nobody has seen before"),
    ],
)
def test_what_stops_terraform_is_one_sentence_and_the_same_command_continues(
    cloud: Stage, said: str, sentence: str
) -> None:
    cloud.fail_once("apply -input=false", said)

    assert sentence in deploy_fails(cloud)
    cloud.deploy()


def test_a_function_that_lets_strangers_in_fails_the_smoke_test(cloud: Stage) -> None:
    cloud.served.statuses["note_sync"] = 200

    assert "Function note_sync answered 200 to somebody who proved nothing." in deploy_fails(cloud)


def test_a_function_that_is_not_there_fails_the_smoke_test(cloud: Stage) -> None:
    cloud.served.statuses["note_keep"] = 404

    assert "Function note_keep is not there." in deploy_fails(cloud)


def test_a_person_goes_back_to_a_release_by_its_id(cloud: Stage) -> None:
    first = cloud.deploy()
    before = cloud["applied"][-1]
    cloud.change_the_code("second")
    cloud.deploy()

    back_to(cloud.world(), first)

    assert cloud["applied"][-1] == before
    assert cloud.kept("current.json") == {"release": first}
