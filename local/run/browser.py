"""A person's browser, as far as connecting an account needs one: cookies, redirects, and a form that is filled in."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http import HTTPStatus
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urljoin, urlsplit

import urllib3

from local.run.http import Http, RefusedError

_HOPS_AT_MOST = 10
_REDIRECTS = (HTTPStatus.MOVED_PERMANENTLY, HTTPStatus.FOUND, HTTPStatus.SEE_OTHER)


@dataclass(frozen=True, slots=True)
class Consent:
    """What the consent page asked, and where the person ended."""

    scopes: tuple[str, ...]
    landed_at: str


class Browser:
    """Cookies belong to a host and, as in every browser, not to a port; loopback counts as secure."""

    def __init__(self, http: Http) -> None:
        self._http = http
        self._cookies: dict[str, dict[str, str]] = {}

    def sign_in(self, identity_url: str, user_id: str) -> str:
        """Press the person's button on the sign-in page. Returns: the ID token a page would use."""
        body = json.dumps({"user_id": user_id}).encode()
        answer = self._http.json(
            "POST", f"{identity_url}/signin", body=body, headers={"Content-Type": "application/json"}
        )
        return str(answer["idToken"])

    def connect(self, oauth_start_url: str, id_token: str, *, account: str, lands_below: str) -> Consent:
        """Start at the product, agree to everything on the consent page as `account`, and follow the way back.

        lands_below: URL prefix at which the person is at the product's page again.
        Raises: RefusedError when a step of the way answers with an error.
        """
        started = self._go("POST", oauth_start_url, headers={"Authorization": f"Bearer {id_token}"})
        consent_url = str(json.loads(started.data)["url"])
        form = _form_of(self._go("GET", consent_url))
        url = urljoin(consent_url, form.action)
        filled = [*form.hidden, *(("granted", scope) for scope in form.boxes), ("user", account), ("decision", "allow")]
        content_type = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = self._go("POST", url, body=urlencode(filled).encode(), headers=content_type)
        for _ in range(_HOPS_AT_MOST):
            if answer.status not in _REDIRECTS:
                raise RefusedError(f"GET {_without_query(url)}", answer.status, "the way back ended at no page of ours")
            url = urljoin(url, answer.headers["Location"])
            if url.startswith(lands_below):
                return Consent(form.boxes, url)
            answer = self._go("GET", url)
        raise RefusedError(f"GET {_without_query(url)}", answer.status, "the redirects do not end")

    def _go(
        self, method: str, url: str, *, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> urllib3.BaseHTTPResponse:
        host = urlsplit(url).hostname or ""
        jar = self._cookies.setdefault(host, {})
        cookie = {"Cookie": "; ".join(f"{name}={value}" for name, value in jar.items())} if jar else {}
        answer = self._http.request(method, url, body=body, headers={**(headers or {}), **cookie})
        for line in answer.headers.getlist("Set-Cookie"):
            jar.update({name: morsel.value for name, morsel in SimpleCookie(line).items()})
        if answer.status >= HTTPStatus.BAD_REQUEST:
            said = " ".join(answer.data.decode(errors="replace").split())[:300]
            raise RefusedError(f"{method} {_without_query(url)}", answer.status, said)
        return answer


def _without_query(url: str) -> str:
    """Codes and states are in the query; they belong on no screen."""
    return url.partition("?")[0]


@dataclass(slots=True)
class _Form(HTMLParser):
    """The first form of a page: its hidden fields and its ticked boxes."""

    action: str = ""
    hidden: list[tuple[str, str]] = field(default_factory=list)
    ticked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        HTMLParser.__init__(self)

    @property
    def boxes(self) -> tuple[str, ...]:
        return tuple(self.ticked)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.action = given.get("action", "")
        elif tag == "input" and given.get("type") == "hidden":
            self.hidden.append((given["name"], given["value"]))
        elif tag == "input" and given.get("type") == "checkbox" and "checked" in given and "disabled" not in given:
            self.ticked.append(given["value"])


def _form_of(page: urllib3.BaseHTTPResponse) -> _Form:
    form = _Form()
    form.feed(page.data.decode())
    return form
