"""What the deploy asks Google Cloud, by gcloud, and by REST where gcloud has no command for it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from infra.deploy.commands import CommandError, Commands, Done

RESOURCE_MANAGER = "https://cloudresourcemanager.googleapis.com"
SERVICE_USAGE = "https://serviceusage.googleapis.com"


@dataclass(frozen=True, slots=True)
class Answer:
    """Of an HTTP server. status: 0 if there was none, `body` then says why."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Http(Protocol):
    def send(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Answer: ...


class Cloud:
    """One project, as the person or account that is signed in with gcloud sees it."""

    def __init__(self, project: str, commands: Commands, http: Http, roots: Mapping[str, str] | None = None) -> None:
        """roots: other servers that speak for RESOURCE_MANAGER or SERVICE_USAGE."""
        self._project = project
        self._commands = commands
        self._http = http
        self._roots = roots or {}

    def access_token(self) -> str:
        """Of whoever is signed in; terraform gets it as well. Raises: CommandError."""
        return self._commands.run(["gcloud", "auth", "print-access-token", "--quiet"]).strip()

    def project(self) -> dict[str, Any]:
        """Raises: CommandError, also for one that may not be seen."""
        return self._object("projects", "describe", self._project)

    def billing(self) -> dict[str, Any]:
        """{"billingEnabled", "billingAccountName"}. Raises: CommandError."""
        return self._object("billing", "projects", "describe", self._project)

    def services(self) -> frozenset[str]:
        """The APIs that are on. Raises: CommandError."""
        listed = self._list("services", "list", "--enabled", f"--project={self._project}")
        return frozenset(one["config"]["name"] for one in listed)

    def enable(self, services: Sequence[str]) -> None:
        """Turn APIs on and wait until they are; 20 of them at a time, which is what one call takes."""
        for start in range(0, len(services), 20):
            some = services[start : start + 20]
            self._commands.run(["gcloud", "services", "enable", *some, f"--project={self._project}", "--quiet"])

    def missing_permissions(self, wanted: Sequence[str], token: str) -> list[str]:
        """Those of `wanted` that whoever has the token lacks on the project. Raises: LookupError without an answer.

        Source: cloudresourcemanager.projects.testIamPermissions answers {"permissions": those that are held}.
        """
        root = self._roots.get(RESOURCE_MANAGER, RESOURCE_MANAGER)
        answer = self._http.send(
            "POST",
            f"{root}/v1/projects/{self._project}:testIamPermissions",
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
            body=json.dumps({"permissions": list(wanted)}).encode(),
        )
        if answer.status != 200:
            raise LookupError(f"status {answer.status}")
        held = set(json.loads(answer.body).get("permissions", ()))
        return [permission for permission in wanted if permission not in held]

    def quota(self, service: str, metric: str, region: str, token: str) -> int | None:
        """The limit that holds in a region; None if Google does not tell.

        Source: serviceusage v1beta1 services.consumerQuotaMetrics.list: metrics[].consumerQuotaLimits[].quotaBuckets[],
        ordered from the widest to the narrowest; int64 as text, "-1" for no limit.
        """
        root = self._roots.get(SERVICE_USAGE, SERVICE_USAGE)
        answer = self._http.send(
            "GET",
            f"{root}/v1beta1/projects/{self._project}/services/{service}/consumerQuotaMetrics?pageSize=500",
            headers={"Authorization": f"Bearer {token}"},
        )
        if answer.status != 200:
            return None
        found: int | None = None
        for one in json.loads(answer.body).get("metrics", ()):
            if one.get("metric") == metric:
                for limit in one.get("consumerQuotaLimits", ()):
                    for bucket in limit.get("quotaBuckets", ()):
                        if bucket.get("dimensions", {}).get("region", region) == region:
                            found = int(bucket.get("effectiveLimit", -1))
        return None if found == -1 else found

    def firestore_location(self) -> str | None:
        """Where the database "(default)" lies; None if there is none yet. Raises: CommandError."""
        listed = self._list("firestore", "databases", "list", f"--project={self._project}")
        for one in listed:
            if one["name"].endswith("/(default)"):
                return str(one["locationId"])
        return None

    def verified_domains(self) -> frozenset[str]:
        """Domains that whoever is signed in has proven to own. Raises: CommandError."""
        return frozenset(one["id"] for one in self._list("domains", "list-user-verified"))

    # ---------------------------------------------------------------------------------------------------- the bucket

    def bucket_exists(self, bucket: str) -> bool:
        """Raises: CommandError if that cannot be told."""
        asked = ["gcloud", "storage", "buckets", "describe", f"gs://{bucket}", "--format=json"]
        return _found(asked, self._commands.ask(asked)) is not None

    def make_bucket(self, bucket: str, region: str) -> None:
        """Private, and older versions of what lies in it are kept. Raises: CommandError."""
        place = [f"--project={self._project}", f"--location={region}"]
        closed = ["--uniform-bucket-level-access", "--public-access-prevention"]
        self._commands.run(["gcloud", "storage", "buckets", "create", f"gs://{bucket}", *place, *closed, "--quiet"])
        self.keep_versions(bucket)

    def keep_versions(self, bucket: str) -> None:
        """Raises: CommandError."""
        self._commands.run(["gcloud", "storage", "buckets", "update", f"gs://{bucket}", "--versioning", "--quiet"])

    def names_below(self, folder: str) -> list[str]:
        """Last parts of the names of objects below gs://bucket/folder/. Raises: CommandError."""
        asked = ["gcloud", "storage", "ls", folder]
        listed = _found(asked, self._commands.ask(asked))
        return [line.rstrip("/").rpartition("/")[2] for line in (listed or "").splitlines() if line.strip()]

    def read(self, url: str) -> str | None:
        """A small object's text; None if it is not there. Raises: CommandError."""
        asked = ["gcloud", "storage", "cat", url]
        return _found(asked, self._commands.ask(asked))

    def copy(self, source: str, target: str) -> None:
        """One of them a gs:// URL, the other a file. Raises: CommandError."""
        self._commands.run(["gcloud", "storage", "cp", source, target, "--quiet"])

    def _object(self, *arguments: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self._commands.run(["gcloud", *arguments, "--format=json", "--quiet"]))
        return found

    def _list(self, *arguments: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(
            self._commands.run(["gcloud", *arguments, "--format=json", "--quiet"]) or "[]"
        )
        return found


def _found(asked: Sequence[str], done: Done) -> str | None:
    """What was printed; None if the thing asked for is not there."""
    if done.code == 0:
        return done.out
    if any(words in done.said for words in ("not found", "404", "matched no objects", "The following URLs matched no")):
        return None
    raise CommandError(asked, done)
