"""The scheduled jobs the manifests ask for, and one attempt at running one, as Cloud Scheduler makes it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import urllib3

from local.cloud.manifests import JobSettings, Manifest
from local.scheduler.cron import Cron

USER_AGENT = "Google-Cloud-Scheduler"


@dataclass(frozen=True, slots=True)
class Job:
    """One job: when it is due, whom it calls, how it tries again."""

    name: str
    url: str  # also the audience of the token
    cron: Cron
    every_s: float | None  # the laptop's own pace, instead of the cron expression
    deadline_s: float
    settings: JobSettings

    def due_after(self, moment: datetime) -> datetime:
        """Return the next time the job is due, later than `moment` (aware UTC)."""
        return moment + timedelta(seconds=self.every_s) if self.every_s else self.cron.next_after(moment)


def jobs_of(manifests: Iterable[Manifest], base_url: str) -> tuple[Job, ...]:
    """Return one job per scheduled function, named as its function."""
    return tuple(
        Job(
            name=manifest.name,
            url=f"{base_url}/{manifest.name}",
            cron=Cron.parse(manifest.schedule),
            every_s=manifest.local_every_s,
            deadline_s=manifest.timeout_s,
            settings=manifest.job_settings,
        )
        for manifest in manifests
        if manifest.schedule
    )


class HttpCall:
    """One attempt over HTTP, with Cloud Scheduler's headers and token."""

    def __init__(self, mint: Callable[[str], str]) -> None:
        """`mint` returns a service token for an audience."""
        self._mint = mint
        self._http = urllib3.PoolManager(retries=False)

    def __call__(self, job: Job, due_at: datetime) -> int:
        """Return the status the job's function answered, 0 if it did not answer in time."""
        headers = {
            "User-Agent": USER_AGENT,
            "X-CloudScheduler": "true",
            "X-CloudScheduler-JobName": job.name,
            "X-CloudScheduler-ScheduleTime": due_at.isoformat(timespec="seconds"),
            "Authorization": f"Bearer {self._mint(job.url)}",
        }
        try:
            return self._http.request(
                "POST", job.url, body=b"", headers=headers, timeout=job.deadline_s, redirect=False
            ).status
        except urllib3.exceptions.HTTPError:
            return 0
