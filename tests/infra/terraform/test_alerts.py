"""Somebody is told: every alert counts what the code really logs, and says where to read what to do."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import functions_framework
import pytest

from local.cloud.manifests import Manifest
from shared.domain.outbox import promise
from shared.records.followups import Outbox
from shared.records.store import TenantStore
from shared.usecases.promises import sweep_outbox
from tests.fakes import FakeClock, FakeTasks
from tests.infra.terraform.conftest import ADMIN
from tests.infra.terraform.planning import PROJECT, Plan
from tests.infra.terraform.tools import ROOT
from tests.memory_documents import MemoryDocuments

ASKED_FOR = {
    "Quarantine",
    "Watch near its end",
    "Receipt imbalance",
    "Refresh failures",
    "Invoice intents older than 15 minutes",
    "Outbox promises overdue",
    "Push path broken",
    "Unforeseen failures",
    "Error rate",
    "Latency",
    "Dead letters",
}

_EVENT = re.compile(r'jsonPayload\.message="([^"]+)"')
_FIELD = re.compile(r"jsonPayload\.(\w+)[:>=]")
_LOG_METRIC = re.compile(r"logging\.googleapis\.com/user/([\w/-]+)")


def _policies(plan: Plan) -> dict[str, Mapping[str, object]]:
    return {found.values["display_name"]: found.values for found in plan.of("google_monitoring_alert_policy")}


def _metrics(plan: Plan) -> dict[str, str]:
    """Filter of each log metric, by its name."""
    return {found.values["name"]: found.values["filter"] for found in plan.of("google_logging_metric")}


@cache
def _logged() -> dict[str, frozenset[str]]:
    """Every event some code writes, with the ids that go with it wherever it does."""
    found: dict[str, set[str]] = {}
    for path in sorted((ROOT / "shared").rglob("*.py")):
        for call in (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)):
            match call.args[:1]:
                case [ast.Constant(value=str(name))] if re.fullmatch(r"[a-z_]+\.[a-z_]+", name):
                    found.setdefault(name, set()).update(word.arg for word in call.keywords if word.arg)
    return {name: frozenset(ids) for name, ids in found.items()}


def test_every_alert_that_was_asked_for_is_there_and_switched_on(plan: Plan) -> None:
    policies = _policies(plan)
    assert {title for title in policies if not title.startswith("Uptime of")} == ASKED_FOR
    assert all(policy["enabled"] in (True, None) for policy in policies.values())


def test_every_alert_reaches_somebody_and_says_where_to_read_on(plan: Plan) -> None:
    [channel] = plan.of("google_monitoring_notification_channel")
    assert channel.values["labels"] == {"email_address": ADMIN}
    for found in plan.of("google_monitoring_alert_policy"):
        title = found.values["display_name"]
        assert len(found.values["notification_channels"]) == 1, title
        section = "Uptime" if title.startswith("Uptime of") else title
        assert found.values["documentation"][0]["content"] == f'docs/operations.md, section "{section}".'


def test_what_is_counted_is_what_the_code_logs(plan: Plan) -> None:
    for metric, asked in _metrics(plan).items():
        events = _EVENT.findall(asked)
        assert events, metric
        for event in events:
            assert event in _logged(), f"{metric}: nobody logs {event}"
        for field in set(_FIELD.findall(asked)) - {"message"}:
            assert any(field in _logged()[event] for event in events), f"{metric}: {field} is not logged with {events}"


def test_an_invoice_is_told_of_once_it_is_a_quarter_of_an_hour_late(
    plan: Plan, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its promise is swept every five minutes; the filter counts from the revision that is late enough."""
    clock, documents = FakeClock(), MemoryDocuments()
    store = TenantStore(documents, "acme")
    pushing = promise("invoice_push", {"tenant": "acme", "intent": "i-1"}, clock.now(), "i-1")
    store.commit([Outbox(store).creating(pushing)])
    told: list[tuple[float, int]] = []
    for minute in range(5, 30, 5):
        clock.advance(301)
        sweep_outbox(documents, tasks=FakeTasks(), clock=clock)
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        told += [(minute, line["rev"]) for line in lines if line["message"] == "promise.overdue"]
    least = re.search(r"jsonPayload\.rev>=(\d+)", _metrics(plan)["throughline/invoice-intents-old"])
    assert least
    assert next(minute for minute, rev in told if rev >= int(least[1])) == 15


def test_the_search_for_log_lines_knows_the_difference() -> None:
    assert "missing" in _logged()["receipt.audited"]
    assert "watch.far_from_its_end" not in _logged()


def test_every_metric_is_looked_at_and_every_metric_looked_at_is_counted(plan: Plan) -> None:
    shown = json.dumps([found.values for found in plan.of("google_monitoring_alert_policy")])
    shown += plan.one("google_monitoring_dashboard.main").values["dashboard_json"]
    assert set(_LOG_METRIC.findall(shown)) == _metrics(plan).keys()


def test_latency_is_watched_where_somebody_waits(plan: Plan, manifests: Mapping[str, Manifest]) -> None:
    [condition] = plan.one("google_monitoring_alert_policy.latency").values["conditions"]
    watched = set(re.findall(r'"([a-z-]+)"', condition["condition_threshold"][0]["filter"].partition("one_of")[2]))
    assert watched == {each.cloud_name for each in manifests.values() if each.public and each.timeout_s <= 60}
    assert {"docusign-webhook", "timeline-read"} <= watched


def test_the_dashboard_has_a_panel_for_everything_that_can_pile_up(plan: Plan) -> None:
    dashboard = json.loads(plan.one("google_monitoring_dashboard.main").values["dashboard_json"])
    tiles = dashboard["mosaicLayout"]["tiles"]
    places = [(tile["xPos"], tile["yPos"]) for tile in tiles]
    assert len(set(places)) == len(places)
    shown = json.dumps(tiles)
    for what in (
        "queue/depth",
        "oldest_unacked_message_age",
        "work-parked",
        "request_count",
        "document/read_ops_count",
    ):
        assert what in shown


def test_from_outside_the_functions_that_are_called_refuse_strangers(plan: Plan) -> None:
    """What the uptime checks expect is what the functions answer."""
    create_app: Any = functions_framework.create_app  # it has no types
    checks = plan.of("google_monitoring_uptime_check_config")
    assert len(checks) == 2
    for check in checks:
        [http] = check.values["http_check"]
        name = str(check.key)
        assert http["path"] == f"/{name}/"
        assert http["validate_ssl"] is True
        [expected] = http["accepted_response_status_codes"]
        app = create_app(name, str(ROOT / "functions" / name / "main.py"), "http")
        assert app.test_client().get("/").status_code == expected["status_value"]
        assert check.values["monitored_resource"][0]["labels"]["host"].endswith(f"{PROJECT}.cloudfunctions.net")


def test_money_is_watched_on_the_way_and_ahead(plan: Plan) -> None:
    budget = plan.one("google_billing_budget.month[0]").values
    rules = [(rule["threshold_percent"], rule["spend_basis"]) for rule in budget["threshold_rules"]]
    assert sorted(rules) == [
        (0.5, "CURRENT_SPEND"),
        (0.9, "CURRENT_SPEND"),
        (1, "CURRENT_SPEND"),
        (1, "FORECASTED_SPEND"),
    ]
