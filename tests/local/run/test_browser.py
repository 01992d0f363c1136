"""A person's way to Google and back: cookies are kept, boxes are ticked, redirects are followed, errors are told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Flask, redirect, request
from flask.typing import ResponseReturnValue

from local.cloud.serving import running
from local.run.browser import Browser
from local.run.http import Http, RefusedError

FORM = """<form method="post" action="/consent"><input type="hidden" name="state" value="s&amp;1">
<input type="checkbox" name="granted" value="mail" checked> <input type="checkbox" name="granted" value="extra">
<input type="radio" name="user" value="nora@firm.example"></form>"""


SEVERAL_FORMS = """<form method="post"><input type="hidden" name="deed" value="decline"></form>
<form method="post"><input type="hidden" name="deed" value="accept"><input name="who"></form>
<form method="post" action="/other"><button name="action" value="sign">Sign</button></form>"""


@dataclass
class Site:
    """Product and vendor in one small application; `answer` is what the callback says."""

    url: str = ""
    consented: dict[str, Any] = field(default_factory=dict)
    callback: dict[str, str] = field(default_factory=dict)
    answer: ResponseReturnValue | None = None
    sent: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def connect(self) -> str:
        browser = Browser(Http())
        landing = f"{self.url}/connections/"
        choices = (("user", "nora@firm.example"), ("decision", "allow"))
        return browser.connect(f"{self.url}/start", "token", choices=choices, lands_below=landing).landed_at


@pytest.fixture
def site() -> Iterator[Site]:
    here = Site()
    app = Flask(__name__)

    @app.post("/start")
    def start() -> ResponseReturnValue:
        if request.headers["Authorization"] != "Bearer token":
            return {"detail": "Please sign in again."}, 401
        return {"url": f"{here.url}/consent?state=s"}, 200, {"Set-Cookie": "binding=b1; Secure; HttpOnly; Path=/"}

    @app.get("/consent")
    def ask() -> ResponseReturnValue:
        return FORM

    @app.post("/consent")
    def decide() -> ResponseReturnValue:
        here.consented = {**request.form.to_dict(), "granted": request.form.getlist("granted")}
        return redirect(f"{here.url}/callback?code=c")

    @app.get("/callback")
    def callback() -> ResponseReturnValue:
        here.callback = {"code": request.args["code"], "cookie": request.cookies.get("binding", "")}
        return here.answer or redirect("/connections/n1")

    @app.get("/quote")
    def quote() -> str:
        return "Thank you" if "open" in request.args else SEVERAL_FORMS

    @app.post("/quote")
    @app.post("/other")
    def pressed() -> ResponseReturnValue:
        here.sent.append((request.path, request.form.to_dict()))
        return redirect("/quote?open=1", 303)

    with running(app) as url:
        here.url = url
        yield here


def test_the_person_lands_at_the_product_again(site: Site) -> None:
    assert site.connect() == f"{site.url}/connections/n1"


def test_the_form_is_sent_as_the_page_offers_it(site: Site) -> None:
    site.connect()

    assert site.consented == {"state": "s&1", "granted": ["mail"], "user": "nora@firm.example", "decision": "allow"}


def test_the_cookie_of_the_start_comes_back_with_the_code(site: Site) -> None:
    site.connect()

    assert site.callback == {"code": "c", "cookie": "b1"}


def test_an_error_on_the_way_is_told_without_codes(site: Site) -> None:
    site.answer = ({"detail": "This took too long."}, 400)

    with pytest.raises(RefusedError, match="This took too long") as told:
        site.connect()

    assert "code=" not in str(told.value)


def test_a_way_that_ends_somewhere_else_is_an_error(site: Site) -> None:
    site.answer = ("Hello", 200)

    with pytest.raises(RefusedError, match="no page of ours"):
        site.connect()


def test_the_form_with_the_wanted_field_is_filled_in_and_sent(site: Site) -> None:
    page = Browser(Http()).press(f"{site.url}/quote", ("deed", "accept"), {"who": "Carla"})

    assert site.sent == [("/quote", {"deed": "accept", "who": "Carla"})]
    assert page == "Thank you"


def test_a_button_sends_its_own_form_where_that_says(site: Site) -> None:
    Browser(Http()).press(f"{site.url}/quote", ("action", "sign"))

    assert site.sent == [("/other", {"action": "sign"})]


def test_a_button_that_is_not_there_is_an_error(site: Site) -> None:
    with pytest.raises(RefusedError, match="no form with deed=renew"):
        Browser(Http()).press(f"{site.url}/quote", ("deed", "renew"))

    assert site.sent == []


def test_merely_fetching_presses_nothing(site: Site) -> None:
    Browser(Http()).fetch("GET", f"{site.url}/quote")

    assert site.sent == []


def test_nobody_there_is_an_error_too() -> None:
    with pytest.raises(RefusedError):
        Http().json("GET", "http://127.0.0.1:9/nothing")
