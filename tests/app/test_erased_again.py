"""The list of erased people: joined without losing anybody, and refused rather than misread."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from leadgate.app.erased_again import join_erased, write_erased
from leadgate.app.erased_list import parse as parse_erased
from leadgate.app.erased_list import read_file as read_erased
from leadgate.errors import ConfigurationError


def line(erasure: str, *subjects: str, at: str = "2026-11-22T12:00:00+00:00") -> bytes:
    """As the eraser writes it."""
    return json.dumps({"erasure": erasure, "at": at, "subjects": list(subjects)}).encode() + b"\n"


def test_lists_are_joined_and_nobody_is_lost() -> None:
    """One erasure in several lists is one, with everybody whom any of them names, at its earliest time."""
    ours = parse_erased(line("era_2", "subj_b") + line("era_1", "subj_a", at="2026-11-21T12:00:00+00:00"))
    theirs = parse_erased(line("era_2", "subj_c", at="2026-11-22T11:00:00+00:00"))
    joined = join_erased(ours, theirs)
    assert [(one.erasure, one.subjects) for one in joined] == [
        ("era_1", ("subj_a",)),
        ("era_2", ("subj_b", "subj_c")),
    ]
    assert joined[1].at.hour == 11
    assert parse_erased(write_erased(joined)) == joined


def test_only_a_line_that_was_torn_off_is_left_out() -> None:
    """Its erasure had not begun; anything else unreadable might be somebody who would come back."""
    whole, torn = line("era_1", "subj_a"), line("era_2", "subj_b")[:20]
    assert [one.erasure for one in parse_erased(whole + torn)] == ["era_1"]
    assert [one.erasure for one in parse_erased(torn + b"\n" + whole)] == ["era_1"]
    for content in (b"{}\n" + whole, whole + b"x", whole[2:], whole + line("era_3", "s", at="2026-11-22T12:00:00")):
        with pytest.raises(ConfigurationError, match="Line"):
            parse_erased(content)


def test_events_that_nobody_had_worked_on_are_kept_in_the_list() -> None:
    """Worked on later they would bring the person back."""
    content = b'{"erasure":"era_1","at":"2026-11-22T12:00:00Z","subjects":["subj_a"],"events":["evt_1"]}\n'
    assert parse_erased(write_erased(parse_erased(content)))[0].events == ("evt_1",)


def test_no_list_is_an_empty_one(tmp_path: Path) -> None:
    """As long as nobody was erased there is no file."""
    assert read_erased(tmp_path / "erased.jsonl") == []
    with pytest.raises(ConfigurationError):
        read_erased(tmp_path)
