import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadgate.wire.pieces import split_text, utf16_units, with_choices


@given(text=st.text(st.sampled_from("ab яё\n😀👩‍"), max_size=200), limit=st.integers(2, 20))
def test_pieces_fit_and_lose_no_visible_character(text: str, limit: int) -> None:
    """Only pieces of nothing but spaces are left out; no character is cut in half."""
    pieces = split_text(text, limit=limit)
    assert all(utf16_units(piece) <= limit and piece.strip() for piece in pieces)
    assert "".join("".join(pieces).split()) == "".join(text.split())


@given(st.text(st.sampled_from("ab я\n"), max_size=100))
def test_a_text_that_fits_stays_whole(text: str) -> None:
    """Nothing is changed without need."""
    assert split_text(text, limit=100) == ([text] if text.strip() else [])


def test_pieces_end_after_a_line_or_a_word() -> None:
    """A word is cut only when it is longer than a message."""
    assert split_text("раз два три", limit=8) == ["раз два ", "три"]
    assert split_text("раз\nдва три", limit=5) == ["раз\n", "два ", "три"]
    assert split_text("x" * 10, limit=4) == ["xxxx", "xxxx", "xx"]
    assert split_text("😀" * 5, limit=5) == ["😀😀", "😀😀", "😀"]


@pytest.mark.parametrize(
    ("text", "pieces"), [("ёж ёж", ["ёж ", "ёж"]), ("ёё😀", ["ёё", "😀"]), ("abcdef", ["abcde", "f"])]
)
def test_a_vendor_that_counts_bytes_gets_pieces_by_bytes(text: str, pieces: list[str]) -> None:
    """Its limit is half as long in Russian, and a letter is never cut."""
    assert split_text(text, limit=5, size=lambda piece: len(piece.encode())) == pieces


def test_choices_without_buttons_stand_in_the_text() -> None:
    """The client types what others tap."""
    assert with_choices("Что вам нужно?", ("Стрижка", " ", "Маникюр")) == "Что вам нужно?\n— Стрижка\n— Маникюр"
    assert with_choices("Ждём вас.", ()) == "Ждём вас."
    assert with_choices("  ", ("Да",)) == "  "
