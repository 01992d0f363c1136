"""A person's browser, as far as the scenes need one: cookies, redirects, and forms that are filled in."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http import HTTPStatus
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urljoin, urlsplit

import urllib3

from local.run.http import Http, RefusedError

_HOPS_AT_MOST = 10
_REDIRECTS = (HTTPStatus.MOVED_PERMANENTLY, HTTPStatus.FOUND, HTTPStatus.SEE_OTHER)
_FORM_TYPE = {"Content-Type": "application/x-www-form-urlencoded"}


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

    def connect(
        self, oauth_start_url: str, id_token: str, *, choices: Sequence[tuple[str, str]], lands_below: str
    ) -> Consent:
        """Start at the product, agree to everything on the vendor's consent page, and follow the way back.

        choices: what the person picks on that page, beside the boxes that are ticked: account and button.
        lands_below: URL prefix at which the person is at the product's page again.
        Raises: RefusedError when a step of the way answers with an error.
        """
        started = self._go("POST", oauth_start_url, headers={"Authorization": f"Bearer {id_token}"})
        consent_url = str(json.loads(started.data)["url"])
        form = _form_with(self._go("GET", consent_url), consent_url)
        url = urljoin(consent_url, form.action)
        filled = [*form.hidden, *(("granted", scope) for scope in form.ticked), *choices]
        answer = self._go("POST", url, body=urlencode(filled).encode(), headers=_FORM_TYPE)
        for _ in range(_HOPS_AT_MOST):
            if answer.status not in _REDIRECTS:
                raise RefusedError(f"GET {_without_query(url)}", answer.status, "the way back ended at no page of ours")
            url = urljoin(url, answer.headers["Location"])
            if url.startswith(lands_below):
                return Consent(tuple(form.ticked), url)
            answer = self._go("GET", url)
        raise RefusedError(f"GET {_without_query(url)}", answer.status, "the redirects do not end")

    def fetch(self, method: str, url: str) -> None:
        """As a mail scanner does: ask, and look no further. Raises: RefusedError."""
        self._go(method, url)

    def press(self, url: str, button: tuple[str, str], typed: Mapping[str, str] | None = None) -> str:
        """Open the page, fill in the form that has this button (or hidden field), send it, follow where it leads.

        Returns: the page where the person ends. Raises: RefusedError, also for a page without such a form.
        """
        form = _form_with(self._go("GET", url), url, button)
        url = urljoin(url, form.action) if form.action else url
        filled = {**dict(form.hidden), button[0]: button[1], **(typed or {})}
        answer = self._go("POST", url, body=urlencode(filled).encode(), headers=_FORM_TYPE)
        for _ in range(_HOPS_AT_MOST):
            if answer.status not in _REDIRECTS:
                return answer.data.decode()
            url = urljoin(url, answer.headers["Location"])
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
class _Form:
    """action: "" for the page itself. ticked: values of the boxes that are ticked and can be unticked."""

    action: str
    hidden: list[tuple[str, str]] = field(default_factory=list)
    buttons: list[tuple[str, str]] = field(default_factory=list)
    ticked: list[str] = field(default_factory=list)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[_Form] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.found.append(_Form(given.get("action", "")))
        elif not self.found:
            return
        elif tag == "button" and "name" in given:
            self.found[-1].buttons.append((given["name"], given.get("value", "")))
        elif tag == "input" and given.get("type") == "hidden":
            self.found[-1].hidden.append((given["name"], given.get("value", "")))
        elif tag == "input" and given.get("type") == "checkbox" and "checked" in given and "disabled" not in given:
            self.found[-1].ticked.append(given["value"])


def _form_with(page: urllib3.BaseHTTPResponse, url: str, button: tuple[str, str] | None = None) -> _Form:
    """The first form, or the first that has the button or hidden field. Raises: RefusedError."""
    forms = _Forms()
    forms.feed(page.data.decode())
    for form in forms.found:
        if button is None or button in form.buttons or button in form.hidden:
            return form
    wanted = f" with {button[0]}={button[1]}" if button else ""
    raise RefusedError(f"GET {_without_query(url)}", page.status, f"the page has no form{wanted}")
