"""Take a person out of the stored mail (R10).

What they wrote, and what somebody wrote to them alone, is erased with its bodies. Mail of other people that concerns
others as well stays with them, and the person's addresses, and their name and phones in its conversation, are blacked
out. A message that is erased leaves a ledger row that says so, which counts it and keeps it out.
"""

from __future__ import annotations

from collections.abc import Iterable

from shared.domain.erasure import Person, redacted
from shared.domain.ledger import Rule
from shared.domain.mail.addresses import Address, domain_of, normalize, untagged
from shared.domain.matching import is_user
from shared.domain.message import LoggedMessage, summary_of
from shared.domain.settings import Organization
from shared.errors import NotFoundError
from shared.ports.blobs import Blobs
from shared.ports.documents import Write
from shared.ports.time import Jitter
from shared.records.addresses import Addresses
from shared.records.mail import MESSAGE
from shared.records.mailboxes import Mailboxes
from shared.records.organizations import Organizations
from shared.records.seen import Seen
from shared.records.store import TenantStore, guarded
from shared.records.stored import Stored
from shared.usecases.contact_figures import refresh_figures
from shared.usecases.mail.place import Place, live_thread


class MailEraser:
    """Erases one person from the messages of one tenant. Every step may be repeated."""

    def __init__(self, store: TenantStore, person: Person, blobs: Blobs, jitter: Jitter) -> None:
        self._store = store
        self._person = person
        self._blobs = blobs
        self._jitter = jitter
        self._organization: Organization = Organizations(store).get()
        self._mailboxes = [mailbox.mailbox_id for mailbox in Mailboxes(store).all()]

    def settle(self, path: str) -> None:
        """Erase or black out one message. path: below the tenant.

        Its conversation first: with the message goes what says that the conversation is the person's.
        """
        place = Place(self._store, path.split("/")[1] if path.startswith("users/") else None)
        message_id = path.rsplit("/", 1)[1]
        found = place.messages.find(message_id)
        if found is None:
            return
        self._black_out_conversation(place, found.value)
        if self._is_theirs(found.value):
            self._erase(place, message_id)
        else:
            self._black_out(place, message_id)

    def _is_theirs(self, message: LoggedMessage) -> bool:
        """Whether they wrote it, or nobody from outside but them is named in it."""
        if message.from_ is not None and self._person.has(message.from_.email):
            return True
        takes_part = self._person.contact_id in message.contact_ids or bool(
            self._person.keys & set(message.participant_keys)
        )
        named = [address for address in (message.from_, *message.to, *message.cc) if address]
        others = [address for address in named if not self._person.has(address.email)]
        return takes_part and not message.participants_truncated and not self._any_outside(others)

    def _any_outside(self, people: Iterable[Address]) -> bool:
        outside = [who for who in people if domain_of(who.email) not in self._organization.internal_domains]
        rows = Addresses(self._store, self._organization.index_key).rows(who.email for who in outside)
        known = {bare: row for bare, row in rows.items() if is_user(row.known)}
        return any(untagged(normalize(who.email)) not in known for who in outside)

    # ------------------------------------------------------------------------------------------------------- erasing

    def _erase(self, place: Place, message_id: str) -> None:
        """Ledger rows, blobs, then the row that names them, so that a crash leaves something to go on from."""
        for mailbox_id in self._mailboxes:
            self._leave_out(Seen(self._store, mailbox_id), message_id)
        found = place.messages.find(message_id)
        for key in (found.value.text_blob, found.value.html_blob) if found else ():
            if key is not None:
                self._blobs.delete(key)

        def attempt() -> tuple[str, ...]:
            current = place.messages.find(message_id)
            if current is None:
                return ()
            writes: list[Write] = [place.messages.deleting(message_id, current.version)]
            try:
                thread = live_thread(place, current.value.thread_id)
            except NotFoundError:
                self._store.commit(writes)
                return current.value.contact_ids
            rebuilt = thread.value.without_message(message_id)
            entries = place.entries(rebuilt, place.owners(current.value.contact_ids))
            self._store.commit([*writes, place.threads.updating(rebuilt, thread.version), *entries])
            return current.value.contact_ids

        contact_ids = guarded(self._jitter, f"message {message_id}", attempt)
        for contact_id in contact_ids:
            if contact_id != self._person.contact_id:
                refresh_figures(self._store, contact_id, self._jitter)

    def _leave_out(self, seen: Seen, message_id: str) -> None:
        """Its rows say that one of its participants asked to be erased, as they would if it came in now."""

        def attempt() -> None:
            rows = seen.of_message(message_id)
            settled = [seen.updating(row.value.left_out(Rule.ERASED, None, None), row.version) for row in rows]
            if settled:
                self._store.commit(settled)

        guarded(self._jitter, f"ledger rows of message {message_id}", attempt)

    # -------------------------------------------------------------------------------------------------- blacking out

    def _black_out_conversation(self, place: Place, message: LoggedMessage) -> None:
        """Full name and phones in what others said in it."""
        if not self._person.words:
            return
        try:
            thread = live_thread(place, message.thread_id)
        except NotFoundError:
            return
        for message_id in thread.value.messages:
            if message_id != message.message_id:
                self._black_out(place, message_id)

    def _black_out(self, place: Place, message_id: str) -> None:
        found = place.messages.find(message_id)
        if found is None:
            return
        self._black_out_blobs(found.value)

        def attempt() -> None:
            current = place.messages.find(message_id)
            if current is None:
                return
            after = self._blacked_out(current)
            if after == current.value:
                return
            writes: list[Write] = [place.messages.updating(after, current.version)]
            try:
                thread = live_thread(place, after.thread_id)
            except NotFoundError:
                self._store.commit(writes)
                return
            rebuilt = thread.value.with_changed(summary_of(after))
            owners = place.owners(after.contact_ids)
            self._store.commit(
                [*writes, place.threads.updating(rebuilt, thread.version), *place.entries(rebuilt, owners)]
            )

        guarded(self._jitter, f"message {message_id}", attempt)

    def _blacked_out(self, stored: Stored[LoggedMessage]) -> LoggedMessage:
        """Whom it names is told by addresses; texts are searched for the name and the phones as well."""
        return MESSAGE.value(redacted(MESSAGE.fields(stored.value), self._person, words=True))

    def _black_out_blobs(self, message: LoggedMessage) -> None:
        for key, content_type in ((message.text_blob, "text/plain"), (message.html_blob, "text/html")):
            if key is None:
                continue
            try:
                text = self._blobs.get(key).decode("utf-8", "replace")
            except NotFoundError:
                continue
            clean = redacted(text, self._person, words=True)
            if clean != text:
                self._blobs.put(key, clean.encode(), f"{content_type}; charset=utf-8")
