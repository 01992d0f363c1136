"""Connecting, pausing, leaving and coming back (G1, G4, G5)."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest

from bench.operations import METHOD_OF_CALL
from local.google.errors import ApiError
from local.google.quota import Quota, QuotaPolicy
from shared.domain.connection import STATE_LIVES
from shared.domain.mailbox import Status, mailbox_id
from shared.domain.matching import Known
from shared.domain.people import Contact
from shared.errors import (
    ConnectionRevokedError,
    ContendedError,
    ForbiddenError,
    InputError,
    NotFoundError,
    ProviderUnavailableError,
)
from shared.ports.documents import Query
from shared.providers.google.manifest import MANIFEST
from shared.providers.google.prices import DEFAULT_QUOTA_UNITS_PER_MINUTE as QUOTA
from shared.providers.google.prices import GMAIL_UNITS
from shared.records.addresses import Addresses
from shared.records.audit import Audit
from shared.records.connections import Connections
from shared.records.mailboxes import Mailboxes
from shared.records.people import Contacts, Users
from shared.usecases.access_token import access_token
from shared.usecases.read_connection import read_connection
from tests.fakes import START
from tests.mail_world import ANNA, BEN, CARL, DORA, EVERY_SCOPE, KEY, TENANT, MailWorld, found_organization, mail_world

RIVAL = "rival"


def scopes_without(feature: str) -> frozenset[str]:
    return frozenset(scope.name for scope in MANIFEST.scopes if scope.feature != feature)


DORA_CONTACT = Contact("c-dora", "Dora", "Customer", emails=(DORA,))


def connected() -> MailWorld:
    world = mail_world(mailboxes=False)
    world.connects()
    world.drain()
    world.time.advance(1)
    return world


def connections(world: MailWorld) -> int:
    return len(Connections(world.store).all())


# --------------------------------------------------------------------------------------------------------- connecting


def test_a_person_connects_and_everything_follows_in_its_order() -> None:
    world = mail_world(mailboxes=False)
    world.arrives(subject="past", at=START - timedelta(days=2))
    order: list[str] = []
    for method in ("own_addresses", "profile", "start_watch", "list_messages"):
        world.box(ANNA).before(method, 1, partial(order.append, method))
    connection = world.connects()
    assert world.mailbox().status is Status.IMPORTING
    world.drain()
    assert order == ["own_addresses", "profile", "start_watch", "list_messages"]
    assert world.subjects() == ["past"]
    assert world.mailbox().status is Status.CONNECTED
    assert world.mailbox().own == {ANNA, "anna@acme-mail.example"}
    assert connection.scopes == EVERY_SCOPE
    assert [row.action for row in Audit(world.store).newest(10)] == ["connection.made"]


def test_the_consent_page_is_told_who_is_expected_and_gets_a_fresh_challenge_each_time() -> None:
    world = mail_world(mailboxes=False)
    world.starts()
    world.starts()
    first, second = world.google.asked
    assert first["login_hint"] == ANNA
    assert first["verifier"] != second["verifier"]
    assert first["state"] != second["state"]


def test_nothing_secret_is_stored_in_the_open() -> None:
    world = connected()
    stored = world.stored_words()
    assert world.google.minted
    for token in (*world.google.minted, *(asked["verifier"] or "" for asked in world.google.asked)):
        assert token not in stored


def test_a_state_works_once() -> None:
    world = mail_world(mailboxes=False)
    state, binding = world.starts()
    world.returns(state, binding, world.google.agree(ANNA, EVERY_SCOPE))
    with pytest.raises(InputError, match="finished before"):
        world.returns(state, binding, world.google.agree(ANNA, EVERY_SCOPE))
    assert connections(world) == 1


def test_a_state_ends_after_ten_minutes() -> None:
    world = mail_world(mailboxes=False)
    state, binding = world.starts()
    world.time.advance(STATE_LIVES.total_seconds())
    with pytest.raises(InputError, match="longer than 10 minutes"):
        world.returns(state, binding, world.google.agree(ANNA, EVERY_SCOPE))
    assert connections(world) == 0


@pytest.mark.parametrize("state", ["", "acme", "acme.", ".x", "acme.never-given", "rival.x", "a/b.x"])
def test_a_state_nobody_gave_out_connects_nothing(state: str) -> None:
    world = mail_world(mailboxes=False)
    found_organization(world, RIVAL)
    world.starts()
    with pytest.raises(InputError):
        world.returns(state, "", world.google.agree(ANNA, EVERY_SCOPE))
    assert world.google.minted == []


def test_a_state_of_one_organization_is_worth_nothing_in_another() -> None:
    world = mail_world(mailboxes=False)
    found_organization(world, RIVAL)
    state, binding = world.starts()
    foreign = f"{RIVAL}.{state.partition('.')[2]}"
    with pytest.raises(InputError):
        world.returns(foreign, binding, world.google.agree(ANNA, EVERY_SCOPE))


def test_another_browser_cannot_finish_what_this_one_began() -> None:
    """Or somebody could plant their own mailbox in another's account."""
    world = mail_world(mailboxes=False)
    state, _ = world.starts("u-anna")
    _, bens_binding = world.starts("u-ben")
    with pytest.raises(InputError, match="another browser"):
        world.returns(state, bens_binding, world.google.agree(BEN, EVERY_SCOPE))


def test_unticked_mail_reads_calendars_only() -> None:
    world = mail_world(mailboxes=False)
    connection = world.connects(scopes=scopes_without("mail"))
    world.drain()
    assert connection.refused == {"mail"}
    assert world.mailbox().status is Status.CONNECTED
    calls = world.box(ANNA).calls.copy()
    world.passes(timedelta(hours=1))
    assert world.box(ANNA).calls == calls


def test_unticked_calendars_read_mail_only() -> None:
    world = mail_world(mailboxes=False)
    assert world.connects(scopes=scopes_without("calendar")).refused == {"calendar"}
    world.drain()
    world.arrives(subject="mail")
    world.sync()
    assert world.subjects() == ["mail"]


def test_with_everything_unticked_there_is_nothing_to_connect() -> None:
    world = mail_world(mailboxes=False)
    with pytest.raises(InputError, match="nothing to connect"):
        world.connects(scopes=scopes_without("mail") & scopes_without("calendar"))
    assert connections(world) == 0


def test_a_grant_that_does_not_last_says_what_to_do() -> None:
    world = mail_world(mailboxes=False)
    world.google.lasting = False
    with pytest.raises(InputError, match="Remove our access"):
        world.connects()


def test_a_mailbox_of_a_colleague_stays_the_colleagues() -> None:
    world = connected()
    with pytest.raises(InputError, match="another user"):
        world.connects(ANNA, user_id="u-ben")
    assert world.mailbox().user_id == "u-anna"


def test_another_account_is_not_read_into_this_mailbox() -> None:
    """Under the other account's tokens the old mailbox would read a stranger's mail."""
    world = connected()
    with pytest.raises(InputError, match="disconnect it first"):
        world.connects(BEN, user_id="u-anna")
    assert [found.mailbox_id for found in Mailboxes(world.store).all()] == [mailbox_id(ANNA)]

    world.controls(Status.DISCONNECTED)
    world.connects(BEN, user_id="u-anna")
    world.drain()
    assert world.mailbox(BEN).user_id == "u-anna"
    assert world.google.granted(BEN)


# -------------------------------------------------------------------------------------------- pausing and resuming


def test_pausing_stops_and_resuming_fills_the_gap() -> None:
    world = connected()
    world.controls(Status.PAUSED)
    world.arrives(subject="meanwhile")
    world.passes(timedelta(hours=2))
    assert world.subjects() == []
    world.controls(Status.CONNECTED)
    assert world.subjects() == ["meanwhile"]
    changes = [(row.actor, row.after.get("status")) for row in Audit(world.store).newest(10) if row.after]
    assert set(changes) == {("u-anna", "paused"), ("u-anna", "connected")}


def test_a_pause_longer_than_gmails_memory_loses_nothing() -> None:
    world = connected()
    world.controls(Status.PAUSED)
    world.arrives(subject="early in the pause")
    world.time.advance(30 * 86_400)
    world.arrives(subject="late in the pause")
    world.history_expires()
    world.controls(Status.CONNECTED)
    assert sorted(world.subjects()) == ["early in the pause", "late in the pause"]


def test_a_contact_added_while_a_mailbox_rested_finds_its_mail_when_it_is_served_again() -> None:
    world = connected()
    world.arrives(sender=DORA, subject="left out")
    world.sync()
    world.controls(Status.PAUSED)
    world.saves(DORA_CONTACT)
    world.drain()
    assert world.subjects("c-dora") == []

    world.time.advance(60)
    world.controls(Status.CONNECTED)
    assert world.subjects("c-dora") == ["left out"]
    assert not world.mailbox().missed


def test_a_search_that_comes_while_the_mailbox_rests_is_made_up_for() -> None:
    world = connected()
    world.arrives(sender=DORA, subject="left out")
    world.sync()
    world.saves(DORA_CONTACT)
    [reattach] = world.queue.due("contact-reattach")
    world.run(reattach)
    world.queue.done(reattach)
    world.controls(Status.PAUSED)
    assert world.subjects("c-dora") == []

    world.time.advance(60)
    world.controls(Status.CONNECTED)
    assert world.subjects("c-dora") == ["left out"]


def test_what_an_admin_disabled_only_an_admin_enables() -> None:
    world = connected()
    with pytest.raises(ForbiddenError):
        world.controls(Status.DISABLED, actor="u-anna")
    world.controls(Status.DISABLED, actor="u-ada")
    with pytest.raises(ForbiddenError):
        world.controls(Status.CONNECTED, actor="u-anna")
    world.controls(Status.CONNECTED, actor="u-ada")
    assert world.mailbox().status is Status.CONNECTED


@pytest.mark.parametrize("wanted", [Status.PAUSED, Status.CONNECTED, Status.DISCONNECTED])
def test_a_colleague_changes_nothing(wanted: Status) -> None:
    world = connected()
    with pytest.raises(ForbiddenError):
        world.controls(wanted, actor="u-ben")
    with pytest.raises(NotFoundError):
        world.controls(wanted, BEN, actor="u-ada")


# --------------------------------------------------------------------------------------- disconnecting, coming back


def test_disconnecting_ends_everything_at_google_and_keeps_what_was_logged() -> None:
    world = connected()
    world.arrives(subject="kept")
    world.sync()
    world.controls(Status.DISCONNECTED)
    assert not world.google.granted(ANNA)
    assert world.box(ANNA).calls["stop_watch"] == 1
    assert connections(world) == 0
    assert world.routes.targets("gmail", ANNA) == ()
    assert world.subjects() == ["kept"]
    world.pushed()
    world.arrives(subject="never read")
    world.passes(timedelta(hours=1))
    assert world.subjects() == ["kept"]
    page = read_connection(world.store, mailbox_id(ANNA), Users(world.store).get("u-anna"), world.clock)
    assert page.status is Status.DISCONNECTED


def test_disconnecting_twice_is_disconnecting_once() -> None:
    world = connected()
    world.controls(Status.DISCONNECTED, drain=False)
    world.controls(Status.DISCONNECTED)
    assert [row.action for row in Audit(world.store).newest(10)].count("connection.removed") == 1


def test_a_grant_that_is_gone_already_is_no_reason_not_to_finish() -> None:
    world = connected()
    world.google.end_grants(ANNA)
    world.box(ANNA).fail_next("stop_watch", ConnectionRevokedError("gone"))
    world.controls(Status.DISCONNECTED)
    assert connections(world) == 0


def test_asking_for_a_token_on_the_way_out_does_not_undo_the_end() -> None:
    """The call that stops the watch finds the grant gone, and asking for a newer token writes on the credentials."""
    world = connected()
    connection_id = world.mailbox().connection_id
    world.google.end_grants(ANNA)

    def refused() -> None:
        access_token(world.credit(), connection_id, rejected=access_token(world.credit(), connection_id))

    world.box(ANNA).before("stop_watch", 1, refused)
    world.controls(Status.DISCONNECTED)
    assert connections(world) == 0


def test_a_token_endpoint_that_is_down_delays_the_end_and_does_not_lose_it() -> None:
    world = connected()
    world.controls(Status.DISCONNECTED, drain=False)
    world.box(ANNA).fail_next("stop_watch", ProviderUnavailableError("down"))
    with pytest.raises(ProviderUnavailableError):
        world.drain()
    assert connections(world) == 1
    world.drain()
    assert (connections(world), world.google.granted(ANNA)) == (0, False)


def test_coming_back_before_the_end_was_carried_out_keeps_the_new_grant() -> None:
    world = connected()
    world.controls(Status.DISCONNECTED, drain=False)
    world.connects()
    world.drain()
    assert world.google.granted(ANNA)
    assert world.mailbox().status is Status.CONNECTED
    assert connections(world) == 1


def test_coming_back_while_the_end_is_carried_out_opens_what_it_stopped() -> None:
    """The watch is stopped under the new connection, which had found it running: it is opened once more."""
    world = connected()
    world.controls(Status.DISCONNECTED, drain=False)
    [closing] = world.queue.due("mailbox-close")

    def comes_back() -> None:
        world.time.advance(1)
        world.connects()
        for task in world.queue.due("mailbox-open"):
            world.run(task)
            world.queue.done(task)

    world.box(ANNA).before("stop_watch", 1, comes_back)
    with pytest.raises(ContendedError):
        world.run(closing)
    assert world.gmail.pushes.live(ANNA) is None
    world.run(closing)
    world.queue.done(closing)
    world.drain()
    assert world.gmail.pushes.live(ANNA) is not None
    assert world.mailbox().status is Status.CONNECTED


def test_coming_back_goes_on_where_it_stopped() -> None:
    world = connected()
    world.arrives(subject="before")
    world.sync()
    world.controls(Status.DISCONNECTED)
    world.time.advance(86_400)
    world.arrives(subject="between")
    world.connects()
    world.drain()
    assert sorted(world.subjects()) == ["before", "between"]
    assert world.receipt().balanced


# ---------------------------------------------------------------------------------------------- one mailbox, two homes


def two_homes() -> MailWorld:
    world = connected()
    found_organization(world, RIVAL)
    world.connects(ANNA, tenant=RIVAL)
    world.drain()
    return world


def test_a_mailbox_in_two_organizations_has_two_ledgers_and_one_notice() -> None:
    world = two_homes()
    world.pushed()
    world.time.advance(60)
    world.arrives(subject="for both")
    for notice in world.pushed():
        world.hears(notice)
    world.drain()
    assert world.subjects() == ["for both"]
    assert world.seen(ANNA).count() == world.seen(ANNA, RIVAL).count() == 1


def test_watch_and_grant_end_only_with_the_last() -> None:
    world = two_homes()
    world.controls(Status.DISCONNECTED)
    assert world.google.granted(ANNA)
    assert world.box(ANNA).calls["stop_watch"] == 0
    assert [target.tenant for target in world.routes.targets("gmail", ANNA)] == [RIVAL]
    assert connections(world) == 0

    world.controls(Status.DISCONNECTED, tenant=RIVAL)
    assert not world.google.granted(ANNA)
    assert world.box(ANNA).calls["stop_watch"] == 1


def quota_of(world: MailWorld) -> Quota:
    """Google's count of what everybody together asks of Anna's mailbox; a call above it fails the test."""
    quota = Quota(
        QuotaPolicy(QUOTA, GMAIL_UNITS, refusal=lambda _at, _before: ApiError(429, "rateLimitExceeded", "too much")),
        world.time.now,
    )
    world.box(ANNA).on_call = lambda method: quota.spend(ANNA, METHOD_OF_CALL[method])
    return quota


def rate(world: MailWorld, tenant: str = TENANT) -> float:
    return world.served(ANNA, tenant).budget.draw(0, may_owe=True).rate_per_s


def test_two_organizations_that_import_one_mailbox_stay_together_below_its_quota() -> None:
    world = mail_world(mailboxes=False)
    found_organization(world, RIVAL)
    carl = Contact("c-carl", "Carl", "Customer", emails=(CARL,))
    store = world.store_of(RIVAL)
    store.commit([Contacts(store).creating(carl), Addresses(store, KEY).adding(Known(CARL, "contact", "c-carl"))])
    for day in range(1, 171):
        world.arrives(subject=f"{day} days ago", at=START - timedelta(days=day))
    quota = quota_of(world)

    world.connects(ANNA)
    world.drain(until=world.time.now() + timedelta(seconds=20))
    world.connects(ANNA, tenant=RIVAL)
    world.drain()

    assert quota.usage()[ANNA]["refused"] == {}
    for tenant in (TENANT, RIVAL):
        assert world.seen(ANNA, tenant).count() == 170
        assert world.store_of(tenant).count(Query("messages")) == 170


def test_the_allowance_is_divided_while_two_share_it() -> None:
    world = connected()
    whole = rate(world)
    found_organization(world, RIVAL)
    world.connects(ANNA, tenant=RIVAL)
    world.drain()
    assert (rate(world), rate(world, RIVAL)) == (whole / 2, whole / 2)
    world.controls(Status.DISCONNECTED, tenant=RIVAL)
    assert rate(world) == whole


def test_whoever_comes_back_does_not_find_the_units_it_left() -> None:
    world = two_homes()
    world.time.advance(3_600)
    world.controls(Status.DISCONNECTED, tenant=RIVAL)
    world.connects(ANNA, tenant=RIVAL)
    now = world.time.now()
    assert world.served(ANNA, RIVAL).budget.draw(20, may_owe=True).starts_at > now


def test_the_last_may_be_either() -> None:
    world = two_homes()
    world.controls(Status.DISCONNECTED, tenant=RIVAL, drain=False)
    world.controls(Status.DISCONNECTED, tenant=TENANT, drain=False)
    world.drain()
    assert not world.google.granted(ANNA)
