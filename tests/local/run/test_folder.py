"""The folder of a run: begins empty, belongs to one run, and never costs anybody a file of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.run.folder import FolderError, fresh_folder


def test_what_an_earlier_run_left_is_gone_and_its_keys_stay(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with fresh_folder(data):
        (data / "tasks").mkdir()
        (data / "tasks" / "tasks.sqlite3").touch()
        (data / "identity.pem").write_text("key")

    with fresh_folder(data):
        assert not (data / "tasks").exists()
        assert (data / "identity.pem").read_text() == "key"


def test_books_and_envelopes_of_an_earlier_run_are_gone(tmp_path: Path) -> None:
    data = tmp_path / "data"
    for vendor in ("docusign", "quickbooks", "netsuite"):
        with fresh_folder(data):
            (data / vendor).mkdir()

    with fresh_folder(data):
        assert {path.name for path in data.iterdir()} == {"run.lock"}


def test_two_runs_do_not_share_a_folder(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with fresh_folder(data), pytest.raises(FolderError, match=r"used by another run \(pid \d+\)"), fresh_folder(data):
        pass


def test_a_folder_with_other_files_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "google").mkdir()
    (tmp_path / "google" / "thesis.txt").touch()

    with pytest.raises(FolderError, match="holds other files"), fresh_folder(tmp_path):
        pass

    assert (tmp_path / "google" / "thesis.txt").exists()


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "data").touch()

    with pytest.raises(FolderError, match="is a file"), fresh_folder(tmp_path / "data"):
        pass
