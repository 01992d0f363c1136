"""What somebody wrote now, without what they quoted and how they signed."""

from __future__ import annotations

import time
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.mail.body import MailBody, snippet
from shared.domain.mail.folding import Folded, fold


@pytest.mark.parametrize(
    "attribution",
    [
        "On Thu, Mar 5, 2026 at 10:11 AM Jane Doe <jane@a.example> wrote:",
        "On Thu, Mar 5, 2026 at 10:11 AM Jane Doe\n<jane@a.example> wrote:",
        "Am Do., 5. März 2026 um 10:11 Uhr schrieb Jane Doe <jane@a.example>:",
        "Le jeu. 5 mars 2026 à 10:11, Jane Doe <jane@a.example> a écrit :",
        "El jue, 5 mar 2026 a las 10:11, Jane Doe (<jane@a.example>) escribió:",
        "Den tors 5 mars 2026 kl 10:11 skrev Jane Doe <jane@a.example>:",
        "чт, 5 мар. 2026 г. в 10:11, Jane Doe <jane@a.example>:",
        "2026年3月5日(木) 10:11 Jane Doe <jane@a.example>:",
    ],
)
def test_the_history_below_an_answer_folds_away(attribution: str) -> None:
    history = f"{attribution}\n\n> Shall we meet?\n> Jane"
    assert fold(f"Yes, gladly.\n\n{history}") == Folded("Yes, gladly.", history)


@pytest.mark.parametrize(
    "block",
    [
        "-----Original Message-----\nFrom: Jane\nShall we meet?",
        "________________________________\nFrom: Jane Doe <jane@a.example>\nSent: Thursday\nTo: Bob\nSubject: Hi\n\nHi",
        "Von: Jane Doe\nGesendet: Donnerstag, 5. März 2026\nAn: Bob\nBetreff: Hallo\n\nHallo",
    ],
)
def test_outlook_history_folds_away(block: str) -> None:
    folded = fold(f"Yes, gladly.\n\n{block}")
    assert folded.visible.replace("_", "").strip() == "Yes, gladly."
    assert "From: Jane" in folded.quoted or "Von: Jane" in folded.quoted


def test_an_answer_below_the_quote_stays_and_the_quote_folds() -> None:
    text = "On 5 Mar 2026, Jane wrote:\n> Shall we meet?\n\nYes, gladly."
    assert fold(text) == Folded("Yes, gladly.", "On 5 Mar 2026, Jane wrote:\n> Shall we meet?")


def test_answers_between_quotes_stay_with_what_they_answer() -> None:
    text = "> Shall we meet?\nYes.\n> On Monday?\nNo, Tuesday."
    assert fold(text) == Folded(text)


def test_a_forwarded_mail_is_what_its_author_sent() -> None:
    text = "From: Jane Doe <jane@a.example>\nSent: Thursday\nTo: Bob\nSubject: Offer\n\nHere it is."
    assert fold(text) == Folded(text)


def test_a_signature_folds_away() -> None:
    assert fold("Yes.\n\n-- \nBob\nExample Ltd") == Folded("Yes.", "", "-- \nBob\nExample Ltd")
    assert fold("Yes.\n\nSent from my phone").signature == "Sent from my phone"


@pytest.mark.parametrize(
    "text",
    [
        "We met in 2026 with these people:\nJane\nBob",
        "From: my heart\nThank you",
        "- one\n- two",
        "",
        "-- \nBob",
        "1:\n2:",
    ],
)
def test_in_doubt_everything_stays_visible(text: str) -> None:
    assert fold(text).visible == text


LINES = ["", "Hello", "> quoted", "On 5 Mar 2026 10:11, <j@a.example> wrote:", "-- ", "From: J", "To: B", "Subject: x"]


@given(st.lists(st.sampled_from(LINES) | st.text(max_size=20), max_size=14))
def test_no_line_is_lost_or_doubled(lines: list[str]) -> None:
    text = "\n".join(lines)
    folded = fold(text)
    parts = [*folded.visible.splitlines(), *folded.quoted.splitlines(), *folded.signature.splitlines()]
    assert Counter(line for line in parts if line.strip()) == Counter(
        line for line in text.splitlines() if line.strip()
    )


@pytest.mark.parametrize("piece", ["> a\nb\n", "a\n", "On 2026 a\n", "From: a\n", "a:\n", "<a@b 1:11"])
def test_hostile_text_costs_no_more_than_its_length(piece: str) -> None:
    started = time.process_time()
    fold(piece * (200_000 // len(piece)))
    assert time.process_time() - started < 2


def test_a_snippet_is_one_line_cut_between_words() -> None:
    assert snippet("Hello\n\n  Bob") == "Hello Bob"
    long = snippet("word " * 100)
    assert len(long) <= 200
    assert long.endswith("word…")
    assert snippet("x" * 500) == "x" * 199 + "…"


def test_the_snippet_of_an_answer_is_the_answer() -> None:
    assert MailBody("Yes.\n\nOn 5 Mar 2026 10:11, Jane <j@a.example> wrote:\n> Meet?").snippet == "Yes."
