"""How a mailbox's past is cut into pages, whatever its threads look like."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.backfill import HEADERS_A_PAGE, Wanted, grouped, header_units, pages
from shared.providers.google.prices import GMAIL_UNITS

listings = st.lists(st.integers(0, 30), max_size=200).map(
    lambda threads: [Wanted(f"m{number}", f"t{thread}") for number, thread in enumerate(threads)]
)


@given(listings)
def test_every_message_is_on_one_page(listed: list[Wanted]) -> None:
    planned = [message for page in pages(grouped(listed)) for group in page for message in group.messages]
    assert sorted(planned, key=lambda found: found.gmail_id) == sorted(listed, key=lambda found: found.gmail_id)


@given(listings)
def test_a_page_is_small_unless_one_thread_fills_it(listed: list[Wanted]) -> None:
    for page in pages(grouped(listed)):
        assert sum(len(group.messages) for group in page) <= HEADERS_A_PAGE or len(page) == 1


@given(listings)
def test_a_chunk_is_cut_into_the_same_pages_again(listed: list[Wanted]) -> None:
    """The run's place is a page number, so a page must be the same after its chunk was stored and read."""
    planned = pages(grouped(listed))
    for start in range(0, len(planned), 3):
        chunk = planned[start : start + 3]
        flat = [message for page in chunk for group in page for message in group.messages]
        assert pages(grouped(flat)) == chunk


@given(listings)
def test_reading_through_threads_never_costs_more(listed: list[Wanted]) -> None:
    assert header_units(grouped(listed), GMAIL_UNITS) <= len(listed) * GMAIL_UNITS["gmail.users.messages.get"]
