"""Step 5: what a person would look at, and whether it adds up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from local.run.cast import Cast, Member
from local.run.google import Held
from local.run.screen import Screen
from local.run.tables import Explained, contacts_table, explanations_table, quarantine_table, receipts_table
from local.run.timeline_page import READ_AT_MOST, timeline_page
from local.run.waiting import NotSeenError, until
from local.run.words import count
from shared.domain.ledger import Rule, State
from shared.domain.mail.addresses import parse_addresses
from shared.records.followups import Quarantine
from shared.records.people import StoredContact
from shared.records.seen import Seen

EXPLAINED = 3
RULES_ASKED_FIRST = (
    Rule.SENDER_UNKNOWN,
    Rule.BULK,
    Rule.INTERNAL,
    Rule.ORGANIZATION_NEVER_LOG,
    Rule.NO_ACCESS,
    Rule.NO_MATCH,
    Rule.PERSONAL_NEVER_LOG,
    Rule.SYSTEM_LABEL,
)
SETTLED_WITHIN_S = 60.0
PARKED_AT_MOST = 200
NEWEST_LOOKED_AT = 2_000


def show_timelines(cast: Cast, screen: Screen, *, how_many: int) -> None:
    """Everybody at a glance, then the liveliest contacts' timelines. Raises: NotSeenError if there is none."""
    now = datetime.now(UTC)
    everybody = cast.rows.contacts()
    contacts = [stored for stored in everybody if stored.figures.mails] or everybody
    contacts.sort(key=lambda stored: stored.figures.mails, reverse=True)
    screen.show(contacts_table(cast, contacts, now))
    shown = 0
    for stored in _liveliest(cast, contacts, now):
        entries = list(islice(cast.reader.product.timeline(stored.contact.contact_id), READ_AT_MOST))
        if entries:
            shown += 1
            screen.show(timeline_page(stored.contact, cast.company_of(stored.contact), entries, now))
            screen.blank()
        if shown == how_many:
            break
    if not shown:
        raise NotSeenError("anything on anybody's timeline")
    for member in cast.members:
        if member.person.options.own_record:
            kept = sum(1 for _ in member.product.timeline(None))
            told = f"{member.name}'s own record, which nobody else can ask for: {count(kept, 'conversation')}"
            screen.line(f"{told} with people who are no contacts, or by Bcc.")


def _liveliest(cast: Cast, contacts: Sequence[StoredContact], now: datetime) -> list[StoredContact]:
    """Those whom the reader may see, recent and busy ones first."""
    viewer = cast.reader.person.user.viewer
    seen = [stored for stored in contacts if viewer.may_see_records_of(stored.contact.owner_id)]
    last = {stored.contact.contact_id: stored.figures.last_interaction_at or now for stored in seen}
    return sorted(seen, key=lambda stored: (last[stored.contact.contact_id].date(), stored.figures.mails), reverse=True)


def show_receipts(cast: Cast, screen: Screen) -> None:
    """One column per mailbox. Raises: NotSeenError when one does not balance or leaves something unexplained."""
    pages = {member: _settled_page(member) for member in cast.members}
    screen.show(receipts_table({member.first_name: page["receipt"] for member, page in pages.items()}))
    for member, page in pages.items():
        receipt = page["receipt"]
        if receipt["unexplained"] or not receipt["balanced"]:
            raise NotSeenError(f"a balanced receipt of {member.name}'s mailbox")


def _settled_page(member: Member) -> dict[str, Any]:
    """The connection page once nothing is on its way any more."""

    def settled() -> dict[str, Any] | None:
        page = member.product.connection(member.mailbox_id)
        return page if page["receipt"]["waiting"] == 0 else None

    return until(settled, f"the end of the work on {member.name}'s mailbox", within_s=SETTLED_WITHIN_S, every_s=0.2)


def show_explanations(cast: Cast, screen: Screen) -> None:
    """Ask the product about up to three left-out mails, of as many different rules.

    Raises: NotSeenError when a left-out mail is not explained as such.
    """
    asked: list[Explained] = []
    for member, held, rule in _left_out(cast):
        told = member.product.explain(member.mailbox_id, f"<{held.rfc822_id}>")
        if told["state"] != State.LEFT_OUT or told["rule"] != rule:
            raise NotSeenError(f"the reason why {held.rfc822_id} is not on a timeline")
        headers = cast.google.headers(member.email, held.gmail_id, ("Subject", "From"))
        senders = parse_addresses([headers.get("from", "")])
        sender = (senders[0].name or senders[0].email) if senders else "nobody"
        asked.append(Explained(headers.get("subject", "(no subject)"), sender, member.first_name, told["sentence"]))
        if len(asked) == EXPLAINED:
            break
    if asked:
        screen.show(explanations_table(asked))
    else:
        screen.line("Nothing was left out.")


def _left_out(cast: Cast) -> list[tuple[Member, Held, Rule]]:
    """The newest left-out mail for each rule, of whichever mailbox has one."""
    found: dict[Rule, tuple[Member, Held, Rule]] = {}
    for member in cast.members:
        held = {one.gmail_id: one for one in cast.google.mailbox(member.email)[:NEWEST_LOOKED_AT] if one.rfc822_id}
        rows = Seen(cast.rows.store, member.mailbox_id).get_all(list(held))
        for gmail_id, one in held.items():
            row = rows.get(gmail_id)
            if row is not None and row.value.rule is not None:
                found.setdefault(row.value.rule, (member, one, row.value.rule))
    return [found[rule] for rule in RULES_ASKED_FIRST if rule in found]


def show_quarantine(cast: Cast, screen: Screen) -> None:
    """What could not be logged, if anything."""
    parked = [stored.value for stored in Quarantine(cast.rows.store).parked(PARKED_AT_MOST)]
    if parked:
        screen.show(quarantine_table(parked))
    else:
        screen.line("The quarantine is empty: everything could be read.")
