"""What keeps data: the database with its indexes and rules, secrets without values, keys that turn, closed buckets."""

from __future__ import annotations

import json
from typing import Any

from tests.infra.terraform.planning import REGION, Plan
from tests.infra.terraform.tools import ROOT

INDEXES = json.loads((ROOT / "firestore.indexes.json").read_text())
WEEK_S = 7 * 24 * 3600


def test_the_database_lies_in_the_region_and_can_be_taken_back(plan: Plan) -> None:
    database = plan.one("google_firestore_database.main").values
    assert (database["name"], database["location_id"]) == ("(default)", REGION)
    assert database["point_in_time_recovery_enablement"] == "POINT_IN_TIME_RECOVERY_ENABLED"
    kept = {found.address.rpartition(".")[2]: found.values for found in plan.of("google_firestore_backup_schedule")}
    assert kept["daily"]["retention"] == f"{WEEK_S}s"
    assert kept["weekly"]["retention"] == f"{4 * WEEK_S}s"


def test_every_index_of_the_file_is_made(plan: Plan) -> None:
    def fields(entry: list[dict[str, Any]], path: str, array: str) -> list[tuple[str, str]]:
        return [(field[path], field.get("order") or field[array]) for field in entry]

    made = [found.values for found in plan.of("google_firestore_index")]
    shown = [
        (index["collection"], index["query_scope"], fields(index["fields"], "field_path", "array_config"))
        for index in made
    ]
    asked = [
        (index["collectionGroup"], index["queryScope"], fields(index["fields"], "fieldPath", "arrayConfig"))
        for index in INDEXES["indexes"]
    ]
    assert sorted(shown) == sorted(asked)


def test_every_field_of_the_file_is_exempt_indexed_or_ends_as_it_says(plan: Plan) -> None:
    made = {
        (found.values["collection"], found.values["field"]): found.values for found in plan.of("google_firestore_field")
    }
    asked = {(entry["collectionGroup"], entry["fieldPath"]): entry for entry in INDEXES["fieldOverrides"]}
    assert made.keys() == asked.keys()
    for field, entry in asked.items():
        [config] = made[field]["index_config"]
        assert len(config["indexes"] or ()) == len(entry["indexes"]), field
        assert bool(made[field]["ttl_config"]) is entry.get("ttl", False), field


def test_the_rules_that_are_released_are_the_ones_that_were_tested(plan: Plan) -> None:
    [source] = plan.one("google_firebaserules_ruleset.firestore").values["source"]
    assert source["files"][0]["content"] == (ROOT / "firestore.rules").read_text()
    assert plan.one("google_firebaserules_release.firestore").values["name"] == "cloud.firestore"


def test_no_secret_has_a_value_in_the_plan(plan: Plan) -> None:
    assert plan.of("google_secret_manager_secret")
    assert not [found for found in plan.everything() if found.kind == "google_secret_manager_secret_version"]


def test_keys_turn_four_times_a_year_and_cannot_be_lost_in_a_moment(plan: Plan) -> None:
    for key in plan.of("google_kms_crypto_key"):
        assert key.values["rotation_period"] == f"{90 * 24 * 3600}s"
        assert int(key.values["destroy_scheduled_duration"].removesuffix("s")) >= 30 * 24 * 3600


def test_buckets_are_closed_and_lie_in_the_region(plan: Plan) -> None:
    buckets = plan.of("google_storage_bucket")
    assert len(buckets) >= 2
    for bucket in buckets:
        assert bucket.values["public_access_prevention"] == "enforced"
        assert bucket.values["uniform_bucket_level_access"] is True
        assert bucket.values["location"] == REGION.upper()
        assert bucket.values["lifecycle_rule"], bucket.address


def test_erased_mail_is_gone_when_the_database_cannot_be_taken_back_to_it(plan: Plan) -> None:
    content = plan.one('google_storage_bucket.used["content"]').values
    assert not content["versioning"]
    assert content["soft_delete_policy"] == [{"retention_duration_seconds": WEEK_S}]


def test_everything_with_a_place_is_in_the_region(plan: Plan) -> None:
    for found in plan.everything():
        place = found.values.get("location") or found.values.get("location_id") or found.values.get("region")
        if isinstance(place, str):
            assert place.lower() == REGION, found.address


def test_nobody_signs_up_by_themselves(plan: Plan) -> None:
    identity = plan.one("google_identity_platform_config.main").values
    assert identity["client"][0]["permissions"] == [{"disabled_user_signup": True, "disabled_user_deletion": True}]
    assert identity["sign_in"][0]["anonymous"] == [{"enabled": False}]
    assert identity["mfa"][0]["state"] == "ENABLED"
