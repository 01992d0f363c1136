"""Contact exports open whatever program, language and encoding they come from."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.takeout.contacts import read_contacts
from local.takeout.files import UnreadableFileError
from shared.csv_table import ContactTable


def read(folder: Path, content: bytes) -> ContactTable:
    path = folder / "contacts.csv"
    path.write_bytes(content)
    (table,) = read_contacts([path])
    return table


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252", "latin-1"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_encodings_and_delimiters_are_found_out(tmp_path: Path, encoding: str, delimiter: str) -> None:
    text = (
        delimiter.join(("First Name", "E-mail 1 - Value"))
        + "\r\n"
        + delimiter.join(("Zoë", "zoe@example.org"))
        + "\r\n"
    )
    table = read(tmp_path, text.encode(encoding))
    assert table.header == ("First Name", "E-mail 1 - Value")
    assert table.rows == [{"First Name": "Zoë", "E-mail 1 - Value": "zoe@example.org"}]


def test_google_headers_and_notes_over_several_lines_stay_as_they_are(tmp_path: Path) -> None:
    table = read(
        tmp_path,
        b"First Name,Last Name,Labels,E-mail 1 - Label,E-mail 1 - Value,Notes\n"
        b'Ada,"Lovelace, Countess",* myContacts,Work,ada@example.org,"one\ntwo"\n',
    )
    assert table.rows[0]["Last Name"] == "Lovelace, Countess"
    assert table.rows[0]["Notes"] == "one\ntwo"


def test_a_semicolon_inside_a_comma_file_is_text(tmp_path: Path) -> None:
    assert read(tmp_path, b"Name,Email,Note\nAda,ada@example.org,a;b;c;d\n").rows[0]["Note"] == "a;b;c;d"


def test_excels_delimiter_note_is_obeyed(tmp_path: Path) -> None:
    assert read(tmp_path, b"sep=;\r\nName;Email\r\nAda;ada@example.org\r\n").rows[0]["Email"] == "ada@example.org"


def test_old_line_ends_are_read(tmp_path: Path) -> None:
    assert read(tmp_path, b"Name;Email\rAda;ada@example.org\r").rows == [{"Name": "Ada", "Email": "ada@example.org"}]


def test_uneven_and_empty_rows(tmp_path: Path) -> None:
    table = read(tmp_path, b"Name,Email\n\nAda\n,,\nBob,bob@example.org,extra\n")
    assert table.rows == [{"Name": "Ada", "Email": ""}, {"Name": "Bob", "Email": "bob@example.org"}]


def test_of_two_equal_columns_the_first_filled_wins(tmp_path: Path) -> None:
    assert read(tmp_path, b"Email,Email\n,b@example.org\na@example.org,b@example.org\n").rows == [
        {"Email": "b@example.org"},
        {"Email": "a@example.org"},
    ]


def test_a_header_alone_is_a_table_without_rows(tmp_path: Path) -> None:
    assert read(tmp_path, b"Name,Email").rows == []


@pytest.mark.parametrize("content", [b"", b"\r\n\r\n", b"\x89PNG\r\n\x1a\n\x00\x00\x01" + bytes(40)[:3]])
def test_empty_and_binary_files_are_named(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(UnreadableFileError, match=r"contacts\.csv: (Byte 8 belongs|The file is empty)"):
        read(tmp_path, content)


def test_a_folder_gives_one_table_per_file(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.csv").write_text(f"Name\n{name}\n")
    assert [table.rows[0]["Name"] for table in read_contacts([tmp_path])] == ["a", "b"]
