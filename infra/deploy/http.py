"""HTTPS by urllib3; the answer is whatever came, redirects included, and no answer is one too."""

from __future__ import annotations

from collections.abc import Mapping

import urllib3

from infra.deploy.cloud import Answer

WAITS_S = 60.0
"""A first answer may have to start an instance."""


class WebHttp:
    def __init__(self) -> None:
        self._pool = urllib3.PoolManager(maxsize=10, retries=False, timeout=WAITS_S)

    def send(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Answer:
        try:
            answer = self._pool.request(method, url, headers=dict(headers or {}), body=body, redirect=False)
        except urllib3.exceptions.HTTPError as error:
            return Answer(0, {}, str(error).encode())
        return Answer(answer.status, dict(answer.headers), answer.data)
