"""Decide about an invoice: retry, send, void, settle an edit. Trigger: public HTTPS, admins and finance."""

import functions_framework
from flask import Request

from shared import wiring
from shared.entrypoints import http_endpoint
from shared.usecases.cash.decide_invoice import Choice, ask_to_send, resolve_conflict, retry_invoice, void_invoice
from shared.usecases.cash.forms import choice, record_id, text


@functions_framework.http
@http_endpoint
def invoice_control(request: Request) -> None:
    store, user = wiring.signed_in(request)
    form = wiring.json_body(request)
    action, clock, jitter = wiring.argument(request, "action"), wiring.clock(), wiring.jitter()
    open_ledger = wiring.open_ledger(store.tenant)
    if action == "retry":
        retry_invoice(store, record_id(form, "intent"), user, tasks=wiring.tasks(), clock=clock, jitter=jitter)
    elif action == "send":
        ask_to_send(store, record_id(form, "intent"), user, tasks=wiring.tasks(), clock=clock)
    elif action == "void":
        key, reason = record_id(form, "invoice"), text(form, "reason")
        void_invoice(store, key, reason, user, open_ledger=open_ledger, clock=clock, jitter=jitter)
    else:
        key, wanted = record_id(form, "invoice"), choice(form, "action", Choice)
        resolve_conflict(store, key, wanted, user, open_ledger=open_ledger, clock=clock, jitter=jitter)
