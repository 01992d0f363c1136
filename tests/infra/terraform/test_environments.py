"""Terraform itself accepts the tree, and refuses what must not be deployed, each time with the reason."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.infra.terraform.planning import PROJECT, Plan, TerraformError, Tree, few_functions
from tests.infra.terraform.tools import ROOT, terraform

EMAILS = {"alert_emails": '["admin@acme.example"]'}


def test_every_file_is_formatted() -> None:
    command = [terraform(), "fmt", "-check", "-diff", "-recursive", str(ROOT / "infra")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_tree_is_valid(tree: Tree) -> None:
    tree.validate()


def test_staging_is_planned_without_knowing_what_google_will_call_things(tree: Tree) -> None:
    staging = tree.plan("staging")
    assert len(staging.everything()) > 500


def test_an_argument_that_the_provider_does_not_know_is_refused(tmp_path: Path) -> None:
    broken = Tree(tmp_path)
    queues = broken.infra / "queues.tf"
    queues.write_text(queues.read_text().replace("max_concurrent_dispatches", "max_concurrent_dispatchs"))
    with pytest.raises(TerraformError, match="max_concurrent_dispatchs"):
        broken.validate()


def test_a_second_environment_in_one_project_is_refused(small: Tree) -> None:
    there = {"google_storage_bucket_objects": {"bucket_objects": [_object("environments/staging")]}}
    with pytest.raises(TerraformError, match="already belongs to another environment") as refused:
        small.plan("production", EMAILS, found=there)
    said = said_by(refused.value)
    assert "(staging)" in said
    assert "take each other's mail" in said
    assert "Give production a project of its own" in said


def test_the_same_environment_is_deployed_again_and_again(small: Tree) -> None:
    there = {"google_storage_bucket_objects": {"bucket_objects": [_object("environments/production")]}}
    again = small.plan("production", EMAILS, found=there)
    mark = again.one("google_storage_bucket_object.environment")
    assert (mark.values["bucket"], mark.values["name"]) == (f"{PROJECT}-throughline-state", "environments/production")


def said_by(error: TerraformError) -> str:
    """Its words on one line, without the frame terraform draws around them."""
    return " ".join(str(error).replace("│", " ").split())


def _object(name: str) -> dict[str, str]:
    return dict.fromkeys(("content_type", "media_link", "self_link", "storage_class"), "") | {"name": name}


@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        ({"project_id": "Acme"}, "project_id is the project's id"),
        ({"region": "eur3"}, "region is one Google Cloud region"),
        ({"public_base_url": "http://crm.example"}, "public_base_url begins with https://"),
        ({"web_url": "crm.example"}, "web_url begins with https://"),
        ({"alert_emails": "[]"}, "Alerts are on in production, and nobody would be told"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_wrong_variable_is_refused_in_a_sentence(small: Tree, variables: dict[str, str], reason: str) -> None:
    with pytest.raises(TerraformError) as refused:
        small.plan("production", EMAILS | variables)
    assert reason in said_by(refused.value)


def test_a_new_folder_is_deployed_without_another_line(tmp_path: Path) -> None:
    functions = few_functions(tmp_path)
    shutil.copytree(functions / "message_ingest", functions / "brand_new")
    manifest = functions / "brand_new" / "function.yaml"
    manifest.write_text(manifest.read_text().replace("queue: message-ingest", "queue: brand-new"))
    planned = Tree(tmp_path / "tree", functions).plan("staging")
    assert {function.values["name"] for function in planned.of("google_cloudfunctions2_function")} >= {"brand_new"}
    assert {queue.values["name"] for queue in planned.of("google_cloud_tasks_queue")} == {"brand-new", "message-ingest"}


def test_a_public_function_that_google_alone_should_call_is_refused(tmp_path: Path) -> None:
    functions = few_functions(tmp_path)
    manifest = functions / "message_ingest" / "function.yaml"
    manifest.write_text(manifest.read_text().replace("public: false", "public: true"))
    with pytest.raises(TerraformError) as refused:
        Tree(tmp_path / "tree", functions).plan("staging")
    assert "only a function with trigger http can be public" in said_by(refused.value)


def test_what_keeps_data_cannot_be_destroyed(plan: Plan) -> None:
    database = plan.one("google_firestore_database.main").values
    assert database["delete_protection_state"] == "DELETE_PROTECTION_ENABLED"
    assert database["deletion_policy"] == "ABANDON"
    assert not any(plan.one(f'google_storage_bucket.used["{name}"]').values["force_destroy"] for name in ("content",))
    for file in ("firestore.tf", "secrets.tf"):
        assert "prevent_destroy = true" in (ROOT / "infra" / file).read_text()
