"""Everything a deploy needs, looked at before anything is changed. Each thing that is missing is one Problem.

Nothing here writes. What another check needs first (tools, a sign-in, the project) ends the list when it is missing:
the rest could only repeat it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml

from infra.deploy.cloud import Cloud
from infra.deploy.commands import CommandError, Commands
from infra.deploy.complaints import explain
from infra.deploy.problems import Problem
from infra.deploy.schema import Schema, newer_than
from infra.deploy.target import ROOT, Target

T = TypeVar("T")

TERRAFORM_AT_LEAST = (1, 9)

NEEDED_PERMISSIONS = (
    "artifactregistry.repositories.create",
    "cloudfunctions.functions.create",
    "cloudfunctions.functions.setIamPolicy",
    "cloudkms.cryptoKeys.create",
    "cloudkms.cryptoKeys.setIamPolicy",
    "cloudscheduler.jobs.create",
    "cloudtasks.queues.create",
    "cloudtasks.queues.setIamPolicy",
    "datastore.databases.create",
    "datastore.indexes.create",
    "firebaserules.releases.create",
    "iam.serviceAccounts.actAs",
    "iam.serviceAccounts.create",
    "iam.serviceAccounts.setIamPolicy",
    "logging.logMetrics.create",
    "monitoring.alertPolicies.create",
    "monitoring.dashboards.create",
    "pubsub.subscriptions.create",
    "pubsub.topics.create",
    "resourcemanager.projects.setIamPolicy",
    "run.services.setIamPolicy",
    "secretmanager.secrets.create",
    "secretmanager.secrets.setIamPolicy",
    "serviceusage.services.enable",
    "storage.buckets.create",
    "storage.buckets.setIamPolicy",
    "storage.objects.create",
)
"""One of each kind of thing that infra/ makes, and every grant it gives. roles/owner has them all."""

CPU_METRIC = "run.googleapis.com/cpu_allocation"
"""Thousandths of a processor that all instances of a region may have at once."""

CPU_OF_AN_INSTANCE = 1000


@dataclass(frozen=True, slots=True)
class Checked:
    """What the checks found out. stored: the newest versions of documents that a release may have written."""

    problems: tuple[Problem, ...]
    notes: tuple[str, ...] = ()
    token: str = ""
    billing_account: str = ""
    services_off: tuple[str, ...] = ()
    bucket: bool = False
    stored: Schema | None = None


def needed_services(root: Path = ROOT) -> frozenset[str]:
    """The APIs that infra/services.tf turns on, and the one that does so."""
    text = (root / "infra" / "services.tf").read_text("utf-8")
    block = text.partition("for_each")[2].partition("])")[0]
    return frozenset(re.findall(r'"([a-z-]+\.googleapis\.com)"', block)) | {"serviceusage.googleapis.com"}


def check(target: Target, *, cloud: Cloud, commands: Commands, schema: Schema, root: Path = ROOT) -> Checked:
    problems = [*target.problems(root), *_tools(commands)]
    if problems:
        return Checked(tuple(problems))
    asked = list(_nobody_told(target, root))
    try:
        token = cloud.access_token()
        project = cloud.project()
    except CommandError as error:
        return Checked((*asked, _unseen(error, target)))
    if project.get("lifecycleState") != "ACTIVE":
        mend = f"gcloud projects undelete {target.project}"
        return Checked((*asked, Problem(f"Project {target.project} is being deleted.", mend)))
    return _look_closer(_Asking(target, asked), cloud, token, schema, root)


def _look_closer(asking: _Asking, cloud: Cloud, token: str, schema: Schema, root: Path) -> Checked:
    target = asking.target
    nothing: dict[str, Any] = {}
    billing = asking.ask(cloud.billing, nothing)
    if billing and not billing.get("billingEnabled"):
        asking.found.append(explain("billing disabled", target))
    asking.found += _permissions(target, cloud, token)
    on: frozenset[str] = asking.ask(cloud.services, frozenset())
    bucket = asking.ask(lambda: cloud.bucket_exists(target.state_bucket), default=False)
    if "firestore.googleapis.com" in on:
        asking.found += _location(target, asking.ask(cloud.firestore_location, None))
    stored = None
    if bucket:
        asking.found += _other_environment(target, asking.ask(lambda: _environments(target, cloud), []))
        text = asking.ask(lambda: cloud.read(f"gs://{target.state_bucket}/releases/schema.json"), None)
        stored = json.loads(text) if text else None
    asking.found += [_newer(name, there, ours) for name, there, ours in newer_than(stored or {}, schema)]
    if target.domain is not None:
        asking.found += _domain(target.domain, asking.ask(cloud.verified_domains, frozenset()))
    notes = [*_older(stored or {}, schema)]
    if "run.googleapis.com" in on:
        limit = cloud.quota("run.googleapis.com", CPU_METRIC, target.region, token)
        asking.found += _quota(target, limit, root)
        if limit is None:
            notes.append("Google did not tell the quota of processors; if it is too small, applying says so.")
    return Checked(
        problems=tuple(asking.found),
        notes=tuple(notes),
        token=token,
        billing_account=str(billing.get("billingAccountName", "")).removeprefix("billingAccounts/"),
        services_off=tuple(sorted(needed_services(root) - on)),
        bucket=bucket,
        stored=stored,
    )


class _Asking:
    """Collects what cannot be answered as a problem of its own, once for each sentence."""

    def __init__(self, target: Target, found: list[Problem]) -> None:
        self.target = target
        self.found = found

    def ask(self, question: Callable[[], T], default: T) -> T:
        try:
            return question()
        except CommandError as error:
            problem = explain(error.done.said, self.target)
            if problem not in self.found:
                self.found.append(problem)
            return default


def _tools(commands: Commands) -> Iterator[Problem]:
    if commands.ask(["gcloud", "--version"]).code:
        yield Problem(
            "The Google Cloud CLI is missing.",
            "curl -sSL https://sdk.cloud.google.com | bash -s -- --disable-prompts",
        )
    found = commands.ask(["terraform", "version", "-json"])
    version = _version(found.out) if found.code == 0 else None
    if version is None or version < TERRAFORM_AT_LEAST:
        needed = ".".join(str(number) for number in TERRAFORM_AT_LEAST)
        yield Problem(
            f"Terraform {needed} or newer is missing." if version is None else f"Terraform is older than {needed}.",
            "https://developer.hashicorp.com/terraform/install  (macOS: brew install hashicorp/tap/terraform)",
        )


def _version(told: str) -> tuple[int, int] | None:
    try:
        major, minor, *_ = json.loads(told)["terraform_version"].split(".")
        return int(major), int(minor)
    except (ValueError, KeyError):
        return None


def _unseen(error: CommandError, target: Target) -> Problem:
    said = error.done.said
    if "print-access-token" in str(error):
        return explain("invalid_grant", target)
    if re.search(r"does not have permission|not exist|not found|PERMISSION_DENIED|403", said, re.IGNORECASE):
        return Problem(
            f"There is no project {target.project}, or you may not see it.",
            f"gcloud projects create {target.project}   or, as another person: gcloud auth login",
        )
    return explain(said, target)


def _permissions(target: Target, cloud: Cloud, token: str) -> Iterator[Problem]:
    try:
        missing = cloud.missing_permissions(NEEDED_PERMISSIONS, token)
    except LookupError as error:
        yield Problem(f"Google did not tell what you may do in {target.project} ({error}).", "run it again in a minute")
        return
    if missing:
        yield Problem(
            f"You lack {len(missing)} of the {len(NEEDED_PERMISSIONS)} permissions a deploy needs in {target.project}: "
            f"{', '.join(missing)}.",
            f"an owner runs: gcloud projects add-iam-policy-binding {target.project} --member=user:YOU "
            "--role=roles/owner",
        )


def _location(target: Target, there: str | None) -> Iterator[Problem]:
    if there is not None and there != target.region:
        yield Problem(
            f"Firestore of {target.project} lies in {there}, which can never be changed; you asked for "
            f"{target.region}, and everything has to be in one place.",
            f"make deploy PROJECT={target.project} REGION={there}   or use another project",
        )


def _environments(target: Target, cloud: Cloud) -> list[str]:
    return cloud.names_below(f"gs://{target.state_bucket}/environments/")


def _other_environment(target: Target, there: Iterable[str]) -> Iterator[Problem]:
    for other in there:
        if other != target.environment:
            yield Problem(
                f"Project {target.project} already belongs to the environment {other}. Gmail keeps one watch per "
                "mailbox and project, and there is one database: a second environment would take the first one's mail.",
                f"give {target.environment} a project of its own: gcloud projects create ANOTHER_ID",
            )


def _newer(name: str, there: int, ours: int | None) -> Problem:
    known = "does not know them at all" if ours is None else f"knows them up to version {ours}"
    return Problem(
        f"Documents of the kind {name} are stored in version {there}; this code {known} and would leave them unread.",
        "deploy the release that wrote them, or a newer one: git pull",
    )


def _older(stored: Schema, schema: Schema) -> Iterator[str]:
    for name, ours in sorted(schema.items()):
        there = stored.get(name, ours)
        if there < ours:
            yield (
                f"Documents of the kind {name} are stored in version {there}; they are read as version {ours} from now "
                "on, and written so when they change."
            )


def _domain(domain: str, verified: frozenset[str]) -> Iterator[Problem]:
    names = domain.split(".")
    if not any(".".join(names[start:]) in verified for start in range(len(names) - 1)):
        yield Problem(
            f"You have not proven to Google that {domain} is yours; vendors and Google's consent page refuse it then.",
            f"gcloud domains verify {'.'.join(names[-2:])}",
        )


def _quota(target: Target, limit: int | None, root: Path) -> Iterator[Problem]:
    warm = _warm_instances(root) if _is_on("keeps_warm", target, root) else 0
    if limit is not None and warm * CPU_OF_AN_INSTANCE > limit:
        yield Problem(
            f"{warm} instances are kept warm, and {target.project} may use {limit // 1000} processors in "
            f"{target.region}.",
            f"https://console.cloud.google.com/iam-admin/quotas?project={target.project}"
            f"   or ENVIRONMENT=staging, which keeps none",
        )


def _warm_instances(root: Path) -> int:
    manifests: Iterable[Mapping[str, object]] = (
        yaml.safe_load(path.read_text("utf-8")) for path in (root / "functions").glob("*/function.yaml")
    )
    return sum(count for manifest in manifests if isinstance(count := manifest.get("min_instances"), int))


def _is_on(setting: str, target: Target, root: Path) -> bool:
    """A setting of the environment that is true or false."""
    settings = (root / "infra" / "environments" / f"{target.environment}.tfvars").read_text("utf-8")
    return re.search(rf"^{setting}\s*=\s*true", settings, re.MULTILINE) is not None


def _nobody_told(target: Target, root: Path) -> Iterator[Problem]:
    if _is_on("alerts", target, root) and not target.alert_emails:
        yield Problem(
            f"The environment {target.environment} raises alerts, and nobody would hear them.",
            "make deploy ... ALERT_EMAILS=ops@example.com",
        )
