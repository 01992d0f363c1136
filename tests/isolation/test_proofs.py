"""A proof is good in one place: no token of another environment, no other function's, no other's consent (R1, I21)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from local.cloud.manifests import Trigger
from local.identity.keys import SigningKey
from shared import wiring
from shared.domain.people import User
from shared.records.connections import Connections
from shared.records.routes import Routes
from tests.fakes import FakeChance
from tests.isolation.company import HOME, PEOPLE
from tests.isolation.doors import BASE, CALLER, MANIFESTS, PROJECT, Stage, signing_key
from tests.isolation.tries import BY_PEOPLE, BY_STRANGERS, play
from tests.mail_world import ANNA, BEN, EVERY_SCOPE

RIVAL = "rival"
OURS = [name for name, manifest in MANIFESTS.items() if manifest.trigger is not Trigger.HTTP]
"""Functions that Google's services call for us."""

FOR_PEOPLE = sorted({tried.function for tried in BY_PEOPLE})


@dataclass
class Elsewhere:
    """Another environment of the same product: its own keys, project and service account."""

    key: SigningKey
    project: str = "crm-staging"
    caller: str = "functions@crm-staging.iam.example"
    base: str = "https://staging.crm.example"


@pytest.fixture(scope="module")
def elsewhere() -> Elsewhere:
    return Elsewhere(SigningKey(rsa.generate_private_key(public_exponent=65537, key_size=2048)))


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with pytest.MonkeyPatch.context() as patch:
        stage = Stage().wire(patch)
        for tenant in (HOME, RIVAL):
            stage.founds(tenant)
        yield stage


def wrong_service_tokens(function: str, elsewhere: Elsewhere, stage: Stage) -> dict[str, str | None]:
    now, audience = stage.clock.now(), f"{BASE}/{function}"
    ours = signing_key()
    return {
        "none": None,
        "another function": ours.mint_service_token(f"{BASE}/other", CALLER, now=now),
        "another environment's address": ours.mint_service_token(f"{elsewhere.base}/{function}", CALLER, now=now),
        "another environment's account": ours.mint_service_token(audience, elsewhere.caller, now=now),
        "another environment's keys": elsewhere.key.mint_service_token(audience, CALLER, now=now),
        "a person": stage.token(PEOPLE["admin"], HOME),
        "old": ours.mint_service_token(audience, CALLER, now=now.replace(year=2025)),
    }


@pytest.mark.parametrize("function", OURS)
def test_what_queues_and_jobs_call_takes_no_other_proof(stage: Stage, elsewhere: Elsewhere, function: str) -> None:
    before = stage.documents.dump()
    for what, token in wrong_service_tokens(function, elsewhere, stage).items():
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        answer = stage.calls(function, json={"tenant": HOME}, headers=headers)
        assert (answer.status_code, answer.get_data()) == (401, b""), what
    assert stage.documents.dump() == before


@pytest.mark.parametrize("function", FOR_PEOPLE)
def test_people_of_another_environment_are_strangers(stage: Stage, elsewhere: Elsewhere, function: str) -> None:
    now, ada = stage.clock.now(), PEOPLE["admin"]
    before = stage.documents.dump()

    def minted(key: SigningKey, project: str) -> str:
        return key.mint_user_token(ada.user_id, ada.email, HOME, "admin", [], project=project, now=now)

    tokens = {
        "no token": None,
        "another project's": minted(signing_key(), elsewhere.project),
        "another environment's keys": minted(elsewhere.key, PROJECT),
        "a service's": signing_key().mint_service_token(f"{BASE}/{function}", CALLER, now=now),
    }
    for what, token in tokens.items():
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        assert stage.calls(function, json={}, headers=headers).status_code == 401, what
    assert stage.documents.dump() == before


@pytest.mark.parametrize("function", FOR_PEOPLE)
def test_who_is_signed_in_and_no_member_is_refused(stage: Stage, function: str) -> None:
    stranger = User("u-gone", "Gone", "gone@acme.example")
    for tenant in (HOME, "nowhere"):
        assert stage.asks(function, stranger, tenant, json={}).status_code == 403
    assert stage.asks(function, PEOPLE["admin"], "", json={}).status_code == 403


# ------------------------------------------------------------------------------------------------------------ consent


def begins(stage: Stage, who: str, tenant: str) -> tuple[str, str]:
    """Somebody goes to Google's page; returns the state of the link and their browser's cookie."""
    answer = stage.asks("oauth_start", PEOPLE[who], tenant, json={"provider": "google"})
    assert answer.status_code == 200
    return answer.get_json()["url"].partition("state=")[2], answer.headers["Set-Cookie"].partition(";")[0]


def comes_back(stage: Stage, tenant: str, state: str, cookie: str, account: str) -> Any:
    code = stage.authorization("google", tenant).agree(account, EVERY_SCOPE)
    query = {"state": state, "code": code}
    return stage.calls("oauth_callback", method="GET", query_string=query, headers={"Cookie": cookie})


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> Stage:
    stage = Stage().wire(monkeypatch)
    for tenant in (HOME, RIVAL):
        stage.founds(tenant)
    return stage


def with_dice(stage: Stage, seed: int) -> Stage:
    stage.chance = FakeChance(seed)
    return stage


def test_a_consent_is_finished_in_the_browser_that_began_it_alone(fresh: Stage) -> None:
    """Or a link that is sent to somebody else would connect their account to the sender's record."""
    state, _ = begins(with_dice(fresh, 1), "owner", HOME)
    _, cookie_of_ben = begins(with_dice(fresh, 2), "rep", HOME)
    before = Connections(fresh.store(HOME)).all()
    for cookie in (cookie_of_ben, "", "throughline-connect=guessed"):
        assert comes_back(fresh, HOME, state, cookie, ANNA).status_code == 400
    assert Connections(fresh.store(HOME)).all() == before


def test_a_state_of_one_organization_is_none_in_another(fresh: Stage) -> None:
    """The state names its organization; with another's name before it, it was never begun."""
    begins(with_dice(fresh, 2), "owner", RIVAL)
    state, cookie = begins(with_dice(fresh, 1), "owner", HOME)
    before = fresh.inside(RIVAL), fresh.inside(HOME)
    moved = f"{RIVAL}.{state.partition('.')[2]}"
    answer = comes_back(fresh, RIVAL, moved, cookie, ANNA)
    never = comes_back(fresh, RIVAL, f"{RIVAL}.never", cookie, ANNA)
    assert (answer.status_code, answer.get_data()) == (400, never.get_data())
    assert (fresh.inside(RIVAL), fresh.inside(HOME)) == before


def test_a_consent_connects_whoever_began_it(fresh: Stage) -> None:
    state, cookie = begins(with_dice(fresh, 1), "owner", RIVAL)
    assert comes_back(fresh, RIVAL, state, cookie, ANNA).status_code == 302
    made = [kept.user_id for kept in Connections(fresh.store(RIVAL)).all() if kept.account == ANNA]
    assert made == ["u-anna"]
    assert comes_back(fresh, RIVAL, state, cookie, ANNA).status_code == 400  # it works once


# -------------------------------------------------------------------------------------------------- links and notices


def test_a_link_of_one_organization_s_quote_opens_nothing_in_another(fresh: Stage) -> None:
    """Quotes of both have one id; the token is each one's own."""
    page = next(tried for tried in BY_STRANGERS if tried.name == "quote_page: fetch")
    sent = fresh.asks(
        "quote_send", PEOPLE["owner"], RIVAL, json={"quote": fresh.companies[RIVAL].ids["sent quote"]}
    ).get_json()["link"]
    ids = {**fresh.companies[RIVAL].ids, "token": sent.rpartition("/")[2]}
    assert play(fresh, page, RIVAL, PEOPLE["rep"], ids).status_code == 200
    assert play(fresh, page, HOME, PEOPLE["rep"], ids).status_code == 404
    nobodys = play(fresh, page, "nowhere", PEOPLE["rep"], ids)
    assert nobodys.get_data() == play(fresh, page, HOME, PEOPLE["rep"], ids).get_data()


def test_a_notice_signed_with_one_organization_s_key_is_no_proof_in_another(fresh: Stage) -> None:
    signing = fresh.companies[RIVAL].ids["signing"]
    changed = fresh.asks("signing_setup", PEOPLE["admin"], RIVAL, json={"keys": ["a key of its own"]})
    assert changed.status_code == 200
    home = fresh.companies[HOME].signing
    home.signs()
    post = home.docusign.posts()[0]

    def posted(tenant: str) -> int:
        headers = dict(post.headers)
        return fresh.calls("docusign_webhook", path=f"/{tenant}/{signing}", data=post.body, headers=headers).status_code

    before = fresh.inside(RIVAL)
    assert [posted(HOME), posted(RIVAL), posted("nowhere")] == [204, 401, 401]
    assert fresh.inside(RIVAL) == before


def test_a_calendar_notice_is_proven_by_the_token_of_its_own_channel(fresh: Stage) -> None:
    """A channel of one organization and the token of another's."""
    for tenant in (HOME, RIVAL):
        payload = {"tenant": tenant, "mailbox": fresh.companies[tenant].ids["mailbox"]}
        with_dice(fresh, len(tenant))
        wiring.calendars_opener(payload)()
    channels = {
        tenant: next(iter(fresh._calendar(tenant, fresh.companies[tenant].ids["mailbox"]).channels.items()))
        for tenant in (HOME, RIVAL)
    }
    already = len(fresh.tasks.created)

    def posted(channel_of: str, token_of: str) -> int:
        headers = {
            "X-Goog-Channel-ID": channels[channel_of][0],
            "X-Goog-Channel-Token": channels[token_of][1].token,
            "X-Goog-Resource-ID": f"resource of {channels[channel_of][1].calendar_id}",
            "X-Goog-Resource-State": "exists",
            "X-Goog-Message-Number": "2",
        }
        return fresh.calls("calendar_push", headers=headers).status_code

    assert [posted(HOME, RIVAL), posted(RIVAL, HOME)] == [401, 401]
    assert len(fresh.tasks.created) == already
    assert [posted(HOME, HOME), posted(RIVAL, RIVAL)] == [204, 204]
    assert [task.payload["tenant"] for task in fresh.tasks.created[already:]] == [HOME, RIVAL]


def test_two_organizations_may_connect_one_mailbox(fresh: Stage) -> None:
    for number, tenant in enumerate((HOME, RIVAL)):
        state, cookie = begins(with_dice(fresh, number), "rep", tenant)
        assert comes_back(fresh, tenant, state, cookie, BEN).status_code == 302
    assert {target.tenant for target in Routes(fresh.documents).targets("gmail", BEN)} == {HOME, RIVAL}
