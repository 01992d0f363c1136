"""Any request to any function gets one of the five answers, and changes nothing without a proof of who sent it."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import EnvironBuilder, TestResponse, run_wsgi_app

from local.cloud.manifests import Trigger
from tests.hostile import dictionary
from tests.hostile.cloud import MANIFESTS, PRIVATE, PUBLIC, Cloud, app
from tests.hostile.examples import examples
from tests.hostile.good import bent, good
from tests.hostile.sent import Sent, requests

DONE = frozenset({200, 204, 302, 303})
PARKED = frozenset({202, 204})
REFUSED = frozenset({400, 401, 403, 404, 405, 409, 413})
AGAIN = frozenset({503})
REFUSED_UNPROVEN = REFUSED - {409}

OPEN_TO_STRANGERS = frozenset({"connections", "oauth_callback", "quote_page"})
"""Pages that nobody signs in for: the link is the proof, or there is nothing to prove."""

MOST_READ = {"contacts_import": 25 << 20, "contract_upload": 25 << 20} | {
    name: 14 << 20 for name, manifest in MANIFESTS.items() if manifest.trigger is Trigger.PUSH
}
LARGEST = 1 << 20
"""Bytes of a body that a function reads at most, where its row above does not say otherwise."""


def send(function: str, sent: Sent, headers: Mapping[str, str], path: str | None = None) -> TestResponse:
    """The request as a server would hand it on. Header values that no server lets through are left out."""
    lines = {name: value for name, value in {**sent.headers, **headers}.items() if "\n" not in value}
    content_type = lines.pop("Content-Type", None)
    builder = EnvironBuilder(
        path="/", method=sent.method, query_string=sent.query, headers=list(lines.items()), data=sent.body
    )
    environ = builder.get_environ()
    wanted = path or sent.path or "/"
    environ["PATH_INFO"] = wanted.encode("utf-8", "surrogatepass").decode("latin-1")
    environ["CONTENT_TYPE"] = content_type or ""
    return asked(function, environ)


def asked(function: str, environ: dict[str, Any]) -> TestResponse:
    status_headers = run_wsgi_app(app(function), environ, buffered=True)
    return TestResponse(*status_headers, request=None)  # type: ignore[arg-type]  # only the answer is looked at


def everything_of(answer: TestResponse) -> str:
    return answer.get_data(as_text=True) + "\n" + "\n".join(f"{name}: {value}" for name, value in answer.headers)


def check_answer(cloud: Cloud, answer: TestResponse, *, proven: bool) -> None:
    shown = everything_of(answer)
    found = [text for text in cloud.secrets if text in shown]
    assert not found, f"the answer tells {found}"
    assert answer.status_code in DONE | PARKED | REFUSED | AGAIN, f"{answer.status_code}: {shown[:300]}"
    if not proven:
        told = [text for text in cloud.private_texts if text in shown]
        assert not told, f"a stranger is told {told}"


@pytest.fixture(scope="module")
def ids(cloud: Cloud) -> Mapping[str, tuple[str, ...]]:
    return dictionary.ids(cloud.documents.paths())


@pytest.fixture(autouse=True)
def _as_it_was(cloud: Cloud) -> Iterator[None]:
    cloud.documents.restore()
    yield
    cloud.documents.restore()


@pytest.mark.parametrize("function", [*PUBLIC, *PRIVATE])
def test_whoever_proves_nothing_is_refused_and_changes_nothing(
    cloud: Cloud, ids: Mapping[str, tuple[str, ...]], function: str
) -> None:
    forged = ["", "Bearer", "Basic YTpi", *(f"Bearer {token}" for token in cloud.forged_tokens(function))]

    @examples(15)
    @given(sent=requests(function, ids), authorization=st.sampled_from(forged))
    def refused(sent: Sent, authorization: str) -> None:
        before = cloud.effects()
        answer = send(function, sent, {"Authorization": authorization} if authorization else {})
        check_answer(cloud, answer, proven=False)
        assert cloud.effects() == before, "something was written, queued or called"
        if function not in OPEN_TO_STRANGERS:
            assert answer.status_code in REFUSED_UNPROVEN, answer.status_code

    refused()


@pytest.mark.parametrize("function", PUBLIC)
def test_whoever_is_proven_gets_one_of_the_five_answers_whatever_they_send(
    cloud: Cloud, ids: Mapping[str, tuple[str, ...]], function: str
) -> None:
    @examples(30)
    @given(sent=requests(function, ids) | bent(function, cloud.documents.dump()))
    def answered(sent: Sent) -> None:
        path, proof = cloud.proof(function, sent.body, sent.person)
        try:
            check_answer(cloud, send(function, sent, proof, path), proven=True)
        finally:
            cloud.documents.restore()

    answered()


@pytest.mark.parametrize("function", [*PUBLIC, *PRIVATE])
@pytest.mark.parametrize("sized", [True, False], ids=["of a stated size", "without an end"])
def test_no_more_of_a_body_is_read_than_its_function_may_need(cloud: Cloud, function: str, sized: bool) -> None:
    for proven in (False, True):
        body = EndlessBody()
        environ = EnvironBuilder(method="POST", content_type="application/json").get_environ()
        path, proof = cloud.proof(function, b"", "u-ada") if proven else (None, {})
        environ |= {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in proof.items()}
        environ |= {"PATH_INFO": path or "/", "wsgi.input": body}
        environ |= {"CONTENT_LENGTH": "9999999999"} if sized else {"wsgi.input_terminated": True}
        answer = asked(function, environ)
        check_answer(cloud, answer, proven=proven)
        assert body.given <= (MOST_READ.get(function, LARGEST) if proven else LARGEST) + EndlessBody.AT_ONCE
        cloud.documents.restore()


@pytest.mark.parametrize("function", PUBLIC)
def test_a_body_that_ends_too_early_is_no_failure_of_ours(cloud: Cloud, function: str) -> None:
    path, proof = cloud.proof(function, b"{", "u-ada")
    environ = EnvironBuilder(method="POST", content_type="application/json").get_environ()
    environ |= {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in proof.items()}
    environ |= {"PATH_INFO": path or "/", "wsgi.input": io.BytesIO(b"{"), "CONTENT_LENGTH": "100"}
    check_answer(cloud, asked(function, environ), proven=True)
    cloud.documents.restore()


def test_good_requests_are_good(cloud: Cloud) -> None:
    """Or the fuzz that begins from them would stay at the door."""
    answered_well = set()
    for function, known in good(cloud.documents.dump()).items():
        for method, arguments, body in known:
            content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
            person = "u-fiona" if function.startswith(("invoice", "ledger")) else "u-ada"
            sent = Sent(method, None, tuple(arguments.items()), {"Content-Type": "application/json"}, content)
            path, proof = cloud.proof(function, content, person)
            if send(function, sent, proof, path).status_code in DONE:
                answered_well.add(function)
            cloud.documents.restore()
    of_what_is_not_there = {"deletions_settle", "oauth_callback"}
    assert set(good(cloud.documents.dump())) - answered_well == of_what_is_not_there


class EndlessBody(io.RawIOBase):
    """A body that never ends, and counts what was taken of it."""

    AT_ONCE = 1 << 16

    def __init__(self) -> None:
        self.given = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        size = min(len(buffer), self.AT_ONCE)
        self.given += size
        assert self.given < 64 << 20, "everything that comes is read"
        buffer[:size] = b" " * size
        return size
