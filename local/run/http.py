"""One request to a part of the laptop cloud, and what it answers when it says no."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import urllib3

NO_REDIRECTS = urllib3.Retry(total=0, redirect=False, raise_on_redirect=False, raise_on_status=False)


class RefusedError(Exception):
    """A part of the cloud answered with an error; the message is its own sentence, with the call that met it."""

    def __init__(self, call: str, status: int, sentence: str) -> None:
        super().__init__(f"{call} answered {status}: {sentence}")
        self.status = status


class Http:
    """Keeps connections open, follows no redirect, and asks no proxy: everything is on loopback."""

    def __init__(self) -> None:
        self._pool = urllib3.PoolManager(maxsize=8)

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        query: Mapping[str, str] | None = None,
    ) -> urllib3.BaseHTTPResponse:
        """Raises: RefusedError when nobody answers."""
        fields = dict(query) if query else None
        try:
            if body is not None:
                return self._pool.request(method, url, body=body, headers=headers, retries=NO_REDIRECTS, redirect=False)
            return self._pool.request(method, url, fields=fields, headers=headers, retries=NO_REDIRECTS, redirect=False)
        except urllib3.exceptions.HTTPError as silent:
            raise RefusedError(f"{method} {url}", 0, str(silent)) from silent

    def json(self, method: str, url: str, **given: Any) -> Any:
        """The answer's JSON; None for an empty one. Raises: RefusedError for anything but 2xx."""
        answer = self.request(method, url, **given)
        if not 200 <= answer.status < 300:
            raise RefusedError(f"{method} {url}", answer.status, _sentence(answer.data))
        return json.loads(answer.data) if answer.data else None


def _sentence(body: bytes) -> str:
    """Problem documents of the functions say `detail`, the control API says `error`; anything else is shown short."""
    try:
        problem = json.loads(body)
    except ValueError:
        return " ".join(body.decode(errors="replace").split())[:200]
    said = problem.get("detail") or problem.get("error") if isinstance(problem, dict) else None
    return str(said or problem)
