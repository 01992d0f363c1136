"""Signing in on the laptop: pick a person, get the token the product verifies in production."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from flask.testing import FlaskClient

from local.identity.keys import SigningKey
from local.identity.server import SESSION_COOKIE, create_app
from local.identity.users import DemoUser, write_users

ADA = DemoUser("u-ada", "ada@acme.example", "Ada <b>", "t-acme", "admin", ("sales", "north"))


@pytest.fixture
def browser(tmp_path: Path) -> FlaskClient:
    key = SigningKey.load_or_create(tmp_path / "identity.pem")
    return create_app(key, tmp_path, project="throughline-local").test_client()


def claims(token: str) -> dict[str, object]:
    return jwt.decode(token, options={"verify_signature": False})


def test_page_offers_the_people_of_the_sample_as_soon_as_they_exist(browser: FlaskClient, tmp_path: Path) -> None:
    assert "Nobody is here yet" in browser.get("/signin").text

    write_users(tmp_path, (ADA,))

    page = browser.get("/signin").text
    assert 'value="u-ada"' in page
    assert "Ada &lt;b&gt;" in page


def test_program_gets_the_token_as_json(browser: FlaskClient, tmp_path: Path) -> None:
    write_users(tmp_path, (ADA,))

    answer = browser.post("/signin", json={"user_id": "u-ada"}).get_json()

    assert answer["localId"] == "u-ada"
    assert claims(answer["idToken"])["teams"] == ["sales", "north"]


def test_person_goes_back_to_the_application_with_the_token(browser: FlaskClient, tmp_path: Path) -> None:
    write_users(tmp_path, (ADA,))

    answer = browser.post("/signin", data={"user_id": "u-ada", "return_to": "http://127.0.0.1:8210/web/"})

    assert answer.status_code == 303
    goal = urlsplit(answer.location)
    assert (goal.netloc, goal.path) == ("127.0.0.1:8210", "/web/")
    token = parse_qs(goal.fragment)["id_token"][0]
    assert claims(token)["tenant"] == "t-acme"
    cookie = browser.get_cookie(SESSION_COOKIE)
    assert cookie is not None
    assert cookie.value == token


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "http://127.0.0.1.evil.example/", "//evil.example"])
def test_token_is_never_sent_to_another_machine(browser: FlaskClient, tmp_path: Path, elsewhere: str) -> None:
    write_users(tmp_path, (ADA,))

    answer = browser.post("/signin", data={"user_id": "u-ada", "return_to": elsewhere})

    assert answer.status_code == 200
    assert "Signed in as" in answer.text


def test_unknown_person_is_refused(browser: FlaskClient) -> None:
    assert browser.post("/signin", json={"user_id": "u-nobody"}).status_code == 400
