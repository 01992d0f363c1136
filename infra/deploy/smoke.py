"""The smoke test: every function is asked once, by somebody without any proof.

Those for vendors and browsers must answer by themselves; those for our own queues must not let a stranger in.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from infra.deploy.cloud import Answer, Http
from infra.deploy.problems import Problem

AT_ONCE = 8
TRIES = 6
PAUSE_S = 5.0
"""A new revision, or a grant, takes a while until it is everywhere."""

REFUSED = (401, 403)
_OURS = ("problem+json", "content-security-policy")


def smoke_test(
    base_url: str,
    functions: Iterable[str],
    public: Sequence[str],
    *,
    http: Http,
    wait: Callable[[float], None] = time.sleep,
) -> list[Problem]:
    """What does not work, function by function; empty if all is well."""

    def ask(name: str) -> str | None:
        wrong = None
        for attempt in range(TRIES):
            if attempt:
                wait(PAUSE_S)
            wrong = _wrong(http.send("POST", f"{base_url}/{name}", body=b""), public=name in public)
            if wrong is None:
                break
        return wrong

    names = sorted(functions)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(_problems(base_url, names, list(pool.map(ask, names))))


def domain_test(domain: str, public: Sequence[str], *, http: Http) -> list[Problem]:
    """Whether the domain leads to the functions."""
    answer = http.send("POST", f"https://{domain}/{public[0]}", body=b"") if public else None
    if answer is None or _wrong(answer, public=True) is None:
        return []
    told = answer.body.decode("utf-8", "replace")[:100] if answer.status == 0 else f"status {answer.status}"
    return [
        Problem(
            f"https://{domain} does not lead to the functions ({told}); vendors' notices would be lost.",
            "point the domain's load balancer at them, as docs/deploying.md says, or deploy without DOMAIN",
        )
    ]


def _problems(base_url: str, names: list[str], wrongs: list[str | None]) -> Iterator[Problem]:
    for name, wrong in zip(names, wrongs, strict=True):
        if wrong is not None:
            yield Problem(
                f"Function {name} {wrong}.", f"gcloud functions logs read {name} --gen2   ({base_url}/{name})"
            )


def _wrong(answer: Answer, *, public: bool) -> str | None:
    if answer.status == 0:
        return f"cannot be reached: {answer.body.decode('utf-8', 'replace')[:120]}"
    if not public:
        return None if answer.status in REFUSED else f"answered {answer.status} to somebody who proved nothing"
    if answer.status >= 500:
        return f"answered {answer.status}"
    if answer.status == 404 and not _is_ours(answer):
        return "is not there"
    return None


def _is_ours(answer: Answer) -> bool:
    """A page or problem of ours says that something is not there; the front end says that the function is not."""
    headers = " ".join(f"{name}: {value}" for name, value in answer.headers.items()).lower()
    return any(word in headers for word in _OURS)
