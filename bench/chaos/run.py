"""One run: connect, let mail arrive and contracts be signed while the storm rages, wait for calm, and count."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench.chaos.cloud import ProxiedCloud, cloud_behind_proxy
from bench.chaos.contracts import Contracts
from bench.chaos.leftovers import Leftovers, failures, leased, leftovers, parked, queues
from bench.chaos.mail import Mail
from bench.chaos.storm import Storm, plan
from bench.chaos.time_passes import let_pass
from bench.cloud import BenchCloud
from local.cloud.ports import HOST

CALM_FOR_S = 2.0
LOOK_EVERY_S = 0.5
JOBS = ("mailbox_poll", "outbox_sweep")
HASTENED_BY = timedelta(minutes=6)
"""Longer than everything the product waits for before it mends by itself."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """hasten: what waits for a time does not have to. keep: a folder that stays, with all logs."""

    seed: int = 7
    messages: int = 2000
    contracts: int = 50
    kills: int = 60
    every_s: float = 4.0
    isolated: bool = True
    hasten: bool = False
    settles_within_s: float = 1500.0
    keep: Path | None = None


@dataclass(slots=True)
class Outcome:
    """surprises: sentences; none is what is hoped for. told: figures of the run."""

    surprises: list[str] = field(default_factory=list)
    told: dict[str, Any] = field(default_factory=dict)


def run(wanted: Wanted, tell: Callable[[str], None]) -> Outcome:
    """Raises: what starting the cloud raises. What goes wrong inside is in the outcome."""
    with cloud_behind_proxy(wanted.seed, isolated=wanted.isolated, keep=wanted.keep) as proxied:
        return _Run(wanted, proxied, tell).play()


class _Run:
    def __init__(self, wanted: Wanted, proxied: ProxiedCloud, tell: Callable[[str], None]) -> None:
        self._wanted = wanted
        self._cloud: BenchCloud = proxied.cloud
        self._proxy = proxied.proxy
        self._began = time.monotonic()
        self._tell_plain = tell
        self._storm = Storm(self._cloud.supervisor, self._proxy, self._busy, self._tell)

    def play(self) -> Outcome:
        wanted, outcome = self._wanted, Outcome()
        self._tell("the cloud is up; people connect")
        contracts = Contracts(self._cloud, wanted.contracts)
        mail = Mail(self._cloud, wanted.messages)
        mail.fill_and_connect()
        planned = plan(wanted.seed, wanted.kills, wanted.every_s)
        lasts_s = sum(one.after_s + one.lasts_s for one in planned)
        self._tell(f"{len(planned)} faults in about {lasts_s:.0f} s begin")
        began = time.monotonic()
        work = [
            threading.Thread(target=mail.arrive, args=(lasts_s,), daemon=True),
            threading.Thread(target=contracts.sell, daemon=True),
        ]
        for one in work:
            one.start()
        self._storm.rage(planned)
        self._tell("the storm is over")
        stormed_s = time.monotonic() - began
        left = self._settle(mail, contracts, work)
        outcome.told = {
            "seed": wanted.seed,
            "isolated": wanted.isolated,
            "messages": wanted.messages,
            "contracts": wanted.contracts,
            "storm_s": round(stormed_s),
            "settled_s": round(time.monotonic() - began - stormed_s),
            "faults": {fault.value: times for fault, times in sorted(self._storm.done.items())},
            "killed": dict(self._storm.killed.most_common()),
            "firestore_errors": dict(self._proxy.troubled),
            "rows": len(mail.rows()),
            "invoices": contracts.invoices_there(),
            "expired_leases": [found.path for found in leased(self._cloud)],
        }
        outcome.surprises = [
            *mail.surprises(),
            *contracts.surprises(),
            *_of_leftovers(left),
            *(f"in quarantine: {reason}" for reason in parked(self._cloud)),
            *(
                f"{times} unexpected errors of {what}"
                for what, times in failures(self._cloud.supervisor.log_file("functions")).items()
            ),
        ]
        return outcome

    def _settle(self, mail: Mail, contracts: Contracts, work: Sequence[threading.Thread]) -> Leftovers:
        """Wait until people are done and nothing is left for a while, or for as long as a run may take."""
        give_up_at = time.monotonic() + self._wanted.settles_within_s
        calm_since: float | None = None
        told_at = hastened_at = time.monotonic()
        while True:
            left = leftovers(self._cloud)
            waits = (mail.queued(), mail.unlisted(), contracts.unfinished(), contracts.notices_waiting())
            at_work = any(one.is_alive() for one in work)
            now = time.monotonic()
            calm_since = (calm_since or now) if left.nothing and not any(waits) and not at_work else None
            if (calm_since and now - calm_since >= CALM_FOR_S) or now > give_up_at:
                return left
            if now - told_at > 15:
                told_at = now
                self._tell(
                    "{} mails queued, {} not listed, {} contracts open, {} notices unacknowledged; ".format(*waits)
                    + f"tasks {dict(left.tasks)}, promises {dict(left.promises)}, leases {len(left.held)}"
                )
            if self._wanted.hasten and now - hastened_at > 3 and not self._busy():
                hastened_at = now
                let_pass(self._cloud, HASTENED_BY)
                self._run_jobs()
            time.sleep(LOOK_EVERY_S)

    def _run_jobs(self) -> None:
        for job in JOBS:
            self._cloud.http.request("POST", f"http://{HOST}:{self._cloud.ports.scheduler}/run?job={job}")

    def _busy(self) -> Sequence[str]:
        """Functions whose task is being worked on at this moment."""
        return [name.replace("-", "_") for name, about in queues(self._cloud).items() if about["in_flight"]]

    def _tell(self, what: str) -> None:
        self._tell_plain(f"{time.monotonic() - self._began:7.1f} s  {what}")


def _of_leftovers(left: Leftovers) -> list[str]:
    return [
        *(f"{count} tasks are left in {queue}" for queue, count in left.tasks.items()),
        *(f"{count} promises of {function} are not kept" for function, count in left.promises.items()),
        *(f"the lease of {path} is held" for path in left.held),
    ]
