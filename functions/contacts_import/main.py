"""Import contacts from CSV. Trigger: public HTTPS, signed-in users."""

from collections.abc import Mapping
from typing import Any

import functions_framework
from flask import Request

from shared import wiring
from shared.answers import import_answer
from shared.csv_table import UPLOAD_AT_MOST, read_table
from shared.entrypoints import http_endpoint
from shared.platform.public_suffixes import is_public_suffix
from shared.usecases.import_contacts import import_contacts


@functions_framework.http
@http_endpoint
def contacts_import(request: Request) -> Mapping[str, Any]:
    store, user = wiring.signed_in(request)
    table = read_table(wiring.upload(request, UPLOAD_AT_MOST))
    result = import_contacts(
        store,
        table.header,
        table.rows,
        actor=user.user_id,
        read_phone=wiring.phone_reader(request.args.get("region", "US")),
        is_public_suffix=is_public_suffix,
        tasks=wiring.tasks(),
        clock=wiring.clock(),
        jitter=wiring.jitter(),
        dry_run=request.args.get("dry_run") == "1",
    )
    return import_answer(result)
