"""The list of the erased is what keeps a restored backup from bringing anybody back: it survives what a file can suffer."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from leadgate.app import erased_list
from leadgate.app.erased_list import FILE, ErasedLine
from leadgate.errors import ConfigurationError, StorageUnavailableError

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ONE = ErasedLine(erasure="era_1", at=AT, subjects=("subj_1", "subj_2"), events=("evt_1",))
TWO = ErasedLine(erasure="era_2", at=AT, subjects=("subj_3",))


def test_lines_are_read_in_the_order_in_which_they_were_added(tmp_path: Path) -> None:
    """Nobody else may read the file, and no file is an empty list."""
    assert erased_list.read(tmp_path) == []
    erased_list.add(tmp_path, ONE)
    erased_list.add(tmp_path, TWO)
    assert erased_list.read(tmp_path) == [ONE, TWO]
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600


def test_a_torn_line_swallows_nothing(tmp_path: Path) -> None:
    """The power went in the middle of a line: no row went after it, and the next line stands by itself."""
    erased_list.add(tmp_path, ONE)
    whole = (tmp_path / FILE).read_bytes()
    for cut in (3, 30, len(whole) - 2):
        (tmp_path / FILE).write_bytes(whole + whole[:cut])
        assert erased_list.read(tmp_path) == [ONE]
        erased_list.add(tmp_path, TWO)
        assert erased_list.read(tmp_path) == [ONE, TWO]


@pytest.mark.parametrize("line", [b'{"erasure":"era_9","at":"yesterday","subjects":[]}', b"rubbish"])
def test_a_damaged_line_is_no_empty_one(tmp_path: Path, line: bytes) -> None:
    """Passing it over would bring somebody back in silence."""
    erased_list.add(tmp_path, ONE)
    with (tmp_path / FILE).open("ab") as file:
        file.write(line + b"\n")
    erased_list.add(tmp_path, TWO)
    with pytest.raises(ConfigurationError, match="Line 2") as damaged:
        erased_list.read(tmp_path)
    assert damaged.value.code == "erasure.list_damaged"


def test_a_list_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    """The rows stay as long as the line is not on disk."""
    with pytest.raises(StorageUnavailableError):
        erased_list.add(tmp_path / "gone", ONE)
