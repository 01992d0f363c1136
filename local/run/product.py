"""The product as its own pages would call it: the HTTP functions, as one signed-in person."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from local.run.http import Http


class Product:
    """The functions at `base_url`, called with one person's ID token."""

    def __init__(self, http: Http, base_url: str, id_token: str) -> None:
        self._http = http
        self._base_url = base_url
        self._headers = {"Authorization": f"Bearer {id_token}"}

    def import_contacts(self, csv: bytes) -> dict[str, Any]:
        headers = {**self._headers, "Content-Type": "text/csv"}
        return dict(self._http.json("POST", f"{self._base_url}/contacts_import", body=csv, headers=headers))

    def connection(self, mailbox_id: str) -> dict[str, Any]:
        return self._get("connection_status", {"mailbox": mailbox_id})

    def timeline(self, contact_id: str | None) -> Iterator[dict[str, Any]]:
        """Entries newest first, of a contact or (None) of the person's own record; pages are asked for as needed."""
        query = {"contact": contact_id} if contact_id else {}
        cursor: str | None = None
        while True:
            page = self._get("timeline_read", {**query, **({"cursor": cursor} if cursor else {})})
            yield from page["data"]
            cursor = page["meta"]["next_cursor"]
            if cursor is None:
                return

    def explain(self, mailbox_id: str, message_id: str) -> dict[str, Any]:
        return self._get("missing_explain", {"mailbox": mailbox_id, "message_id": message_id})

    def get(self, function: str, **arguments: str) -> dict[str, Any]:
        """What a function answers to its page. Raises: RefusedError."""
        return self._get(function, arguments)

    def post(self, function: str, body: Mapping[str, Any] | None = None, **arguments: str) -> dict[str, Any]:
        """Ask a function to do something; {} where it answers nothing. Raises: RefusedError with its sentence."""
        query = f"?{urlencode(arguments)}" if arguments else ""
        headers = {**self._headers, "Content-Type": "application/json"}
        url = f"{self._base_url}/{function}{query}"
        return dict(self._http.json("POST", url, body=json.dumps(body or {}).encode(), headers=headers) or {})

    def _get(self, function: str, query: Mapping[str, str]) -> dict[str, Any]:
        return dict(self._http.json("GET", f"{self._base_url}/{function}", headers=self._headers, query=query))
