"""The PDFs are real: their tables point where they say."""

from __future__ import annotations

import re

import pytest

from local.docusign.pdf import LINES_PER_PAGE, pdf


@pytest.mark.parametrize(
    "lines", [[], ["one line"], ["(round) \\ brackets", "Zoë & Łukasz", "a\nb"], ["x"] * (2 * LINES_PER_PAGE + 1)]
)
def test_every_entry_of_the_table_points_to_its_object(lines: list[str]) -> None:
    content = pdf(lines)
    assert content.startswith(b"%PDF-1.4\n")
    assert content.endswith(b"%%EOF\n")
    table_at = int(re.findall(rb"startxref\n(\d+)\n", content)[0])
    head, first, *entries = content[table_at : content.index(b"trailer")].splitlines(keepends=True)[0:][1:]
    count = int(head.split()[1])
    assert first == b"0000000000 65535 f \n"
    assert len(entries) == count - 1
    for number, entry in enumerate(entries, start=1):
        assert len(entry) == 20
        assert content[int(entry[:10]) :].startswith(b"%d 0 obj\n" % number)


def test_streams_are_as_long_as_they_say() -> None:
    content = pdf(["a", "(b)"] * LINES_PER_PAGE)
    streams = re.findall(rb"/Length (\d+) >>\nstream\n(.*?)\nendstream", content, re.DOTALL)
    assert len(streams) == 2
    assert all(int(length) == len(drawing) for length, drawing in streams)
    assert b"/Count 2" in content


def test_brackets_are_text_and_not_syntax() -> None:
    assert rb"(\(b\) \\ c) Tj" in pdf(["(b) \\ c"])
