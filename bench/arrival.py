"""From a mail's arrival in Gmail to its readable row, in the running laptop cloud."""

from __future__ import annotations

import time

from bench.cloud import LOOK_EVERY_S, TENANT, BenchCloud, running_cloud, wait_for
from bench.report import Aim, Figure, Report
from bench.timings import percentile
from shared.domain.ids import short_id

P50_MS = 300.0
WARM_UP, QUICK_WARM_UP = 6, 3
MAILS, QUICK_MAILS = 45, 9
NAMES = ("anna", "ben", "cora")
GAP_S = 0.4
AFTER_WATCH_S = 1.2
"""Gmail drops notices beyond one a second and mailbox, and a new watch's first notice counts: the mailboxes take turns
with a gap between, after a pause."""

SENDER = "carl@customer.example"


def run(quick: bool) -> Report:
    """Notice, push, task, history, task, headers, body, commit: all of it, one mail after the other."""
    with running_cloud() as cloud:
        addresses = [cloud.add_user(name) for name in NAMES]
        cloud.add_contacts([SENDER])
        for address in addresses:
            cloud.connect(address)
        wait_for(lambda: all(cloud.imported(address) for address in addresses), within_s=60, every_s=0.1)
        time.sleep(AFTER_WATCH_S)
        taken_ms = []
        for number in range(QUICK_WARM_UP + QUICK_MAILS if quick else WARM_UP + MAILS):
            taken_ms.append(_arrive(cloud, addresses[number % len(addresses)], number) * 1000)
            time.sleep(GAP_S)
    measured = taken_ms[QUICK_WARM_UP if quick else WARM_UP :]
    detail = f"{len(measured)} mails to {len(NAMES)} mailboxes"
    return Report(
        "arrival",
        (
            Figure("mail arrived to row readable, p50", percentile(measured, 50), "ms", Aim(P50_MS), detail),
            Figure("mail arrived to row readable, p99", percentile(measured, 99), "ms"),
        ),
        (f"Read by id every {LOOK_EVERY_S * 1000:.0f} ms; the clock starts before the simulated Gmail is told.",),
    )


def _arrive(cloud: BenchCloud, address: str, number: int) -> float:
    message_id = f"arrival-{number}@customer.example"
    row = f"tenants/{TENANT}/messages/{short_id('m', 'message-id', message_id)}"
    mail = {"from": SENDER, "to": [address], "subject": f"Offer {number}", "text": "Here it is."}
    began = time.perf_counter()
    cloud.control("/gmail/deliver", {**mail, "message_id": f"<{message_id}>"})
    wait_for(lambda: cloud.documents.get(row), within_s=30)
    return time.perf_counter() - began
