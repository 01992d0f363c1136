"""For each function a request that it answers after little work: what a cold start is timed with.

Tasks are about a paused mailbox, jobs find nothing due, people ask for what is not there. The push is about a mailbox
that is served, so it queues a task as real ones do.
"""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from urllib.parse import urlencode

from bench.cloud import TENANT, BenchCloud
from bench.trivial_request import TrivialRequest
from local.bridge.envelope import Pulled, push_body, push_headers
from local.cloud.manifests import Manifest, Trigger
from shared.domain.mailbox import MailboxRecord, Status, mailbox_id
from shared.domain.people import Role, Viewer
from shared.records.mailboxes import Mailboxes
from shared.records.routes import Target, adding_route

PAUSED = "paused@acme.example"
ASKING = "ada@acme.example"


def prepare(cloud: BenchCloud) -> None:
    """The paused mailbox, its route, and the person who asks."""
    cloud.add_user("ada", role=Role.ADMIN)
    viewer = Viewer("u-ada", Role.ADMIN)
    record = MailboxRecord(mailbox_id(PAUSED), PAUSED, viewer, "n-bench", Status.PAUSED, frozenset({PAUSED}))
    cloud.store.commit([Mailboxes(cloud.store).creating(record)])
    cloud.documents.commit([adding_route("gmail", PAUSED, Target(TENANT, record.mailbox_id))])


def request_for(manifest: Manifest, cloud: BenchCloud) -> TrivialRequest:
    """The request, with the proof its caller would bring."""
    proof = {"Authorization": f"Bearer {cloud.service_token(manifest.name)}"}
    match manifest.trigger:
        case Trigger.PUSH:
            return TrivialRequest(headers=push_headers(proof["Authorization"][7:]), body=push_of(PAUSED, history_id=1))
        case Trigger.TASK:
            name = {"X-CloudTasks-TaskName": "bench", "X-CloudTasks-QueueName": manifest.queue or ""}
            return TrivialRequest(headers={**proof, **name, "Content-Type": "application/json"}, body=_payload())
        case Trigger.SCHEDULE:
            run = {
                "X-CloudScheduler-JobName": manifest.cloud_name,
                "X-CloudScheduler-ScheduleTime": datetime.now(UTC).isoformat(),
            }
            return TrivialRequest(headers={**proof, **run})
        case Trigger.HTTP:
            return _from_a_person(manifest.name, cloud)


def push_of(address: str, *, history_id: int) -> bytes:
    """Gmail's notice as Pub/Sub pushes it."""
    notice = json.dumps({"emailAddress": address, "historyId": history_id}).encode()
    message = Pulled(message_id=str(history_id), data=notice, attributes={}, published_at=datetime.now(UTC))
    return push_body(message, "projects/bench/subscriptions/gmail-push")


def _payload() -> bytes:
    """Every field that some task has; each reads its own."""
    now = datetime.now(UTC).isoformat()
    mail = ("stream", "channel", "resource", "contact", "keys", "meeting", "run", "loser", "winner")
    cash = ("contract", "delivery", "connection", "promise")
    nowhere = (*mail, *cash)
    payload = {"tenant": TENANT, "mailbox": mailbox_id(PAUSED), "user": "", "wish": 1, "messages": [], "cause": "poll"}
    payload["thorough"] = False
    return json.dumps({**payload, **dict.fromkeys(nowhere, "x-nowhere"), "after": now, "before": now}).encode()


def _from_a_person(name: str, cloud: BenchCloud) -> TrivialRequest:
    headers = cloud.signed_in(ASKING, role=Role.ADMIN)
    if name == "contacts_import":
        table = b"Email,First name,Last name\ncarl@customer.example,Carl,Customer\n"
        return TrivialRequest(path="/?dry_run=1", headers={**headers, "Content-Type": "text/csv"}, body=table)
    if name == "connection_control":
        body = json.dumps({"mailbox": mailbox_id(PAUSED), "action": "pause"}).encode()
        return TrivialRequest(headers={**headers, "Content-Type": "application/json"}, body=body)
    if name == "oauth_callback":
        state = f"{TENANT}.{base64.urlsafe_b64encode(b'nobody').decode()}"
        return TrivialRequest("GET", f"/?{urlencode({'state': state, 'code': 'x'})}")
    counts_anew = name == "connection_status"  # rows of the ledger, warm or cold: no part of a start
    asked = {
        "mailbox": "x-nowhere" if counts_anew else mailbox_id(PAUSED),
        "message": "x-nowhere",
        "message_id": "nobody@customer.example",
        "months": "6",
    }
    return TrivialRequest("GET", f"/?{urlencode(asked)}", headers)
