"""Disguises come off, and every place is told in the text as it was typed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadgate.privacy.detect.fold import fold


@pytest.mark.parametrize(
    ("typed", "text", "digits"),
    [
        ("89\u200b17 264\u00a0-18", "8917 264 -18", "8917 264 -18"),
        ("мой телефон 8 92O 114 З5 6l", "мой телефон 8 92O 114 З5 6l", "мой телефон 8 920 114 35 61"),
        ("+7(9I7)26Ч-18", "+7(9I7)26Ч-18", "+7(917)264-18"),
        ("в 14Ч, в 9ч", "в 14Ч, в 9ч", "в 14Ч, в 9ч"),
        ("Kристинe и Алсу", "Кристине и Алсу", "Кристине и Алсу"),
        ("hello мир", "hello мир", "hello мир"),
        ("٨٩١٧ ２６４", "8917 264", "8917 264"),
        ("завтра\u2028в 5", "завтра\nв 5", "завтра\nв 5"),
    ],
)
def test_disguises_come_off(typed: str, text: str, digits: str) -> None:
    """Zero-width letters, other scripts, letters for digits; hours and whole words stay."""
    folded = fold(typed)
    assert (folded.text, folded.digits) == (text, digits)


@given(st.text(alphabet="Aа1О\u200b\u00ad \n\u00a0٣сtЧ|", max_size=30), st.data())
def test_every_place_is_one_of_the_typed_text(typed: str, data: st.DataObject) -> None:
    """A span that is cut out of the wrong place leaks the right one."""
    folded = fold(typed)
    assert len(folded.text) == len(folded.digits)
    if folded.text:
        start = data.draw(st.integers(0, len(folded.text) - 1))
        end = data.draw(st.integers(start + 1, len(folded.text)))
        first, last = folded.place(start, end)
        assert 0 <= first < last <= len(typed)
        assert len(fold(typed[first:last]).text) == end - start
