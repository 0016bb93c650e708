"""Whatever is done to the files of a journal is found, and the first bad entry is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tampering import campaign


@pytest.mark.parametrize(
    ("sizes", "count"), [((3, 9, 24), 600), ((700, 1100, 1500), 24)], ids=["small", "longer-than-a-stride"]
)
def test_every_manipulation_is_found_and_named(tmp_path: Path, sizes: tuple[int, ...], count: int) -> None:
    """The gate tries some hundreds; `make tampering` ten thousand."""
    assert campaign.run(tmp_path, count=count, seed=4711, sizes=sizes) == []


def test_a_sound_journal_is_not_accused(tmp_path: Path) -> None:
    """A check that always finds something would find everything."""
    assert campaign.accuse_the_innocent(tmp_path, sizes=(5, 17, 40)) == []
