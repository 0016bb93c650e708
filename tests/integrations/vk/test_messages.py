import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadgate.integrations.vk.messages import PIECE_LIMIT, random_id, to_pieces
from leadgate.model.messages import OutgoingMessage


def _message(**changed: object) -> OutgoingMessage:
    return OutgoingMessage(**{"message_id": "m", "chat_id": "700000401", "text": "Когда?", **changed})  # type: ignore[arg-type] # fields by name


def _rows(parameters: dict[str, str]) -> list[list[str]]:
    keyboard = json.loads(parameters["keyboard"])
    assert (keyboard["one_time"], keyboard["inline"]) == (True, False)
    return [[button["action"]["label"] for button in row] for row in keyboard["buttons"]]


@given(message_id=st.text(st.characters(codec="utf-8"), max_size=60), piece=st.integers(0, 9))
def test_the_mark_is_stable_and_fits_vk(message_id: str, piece: int) -> None:
    """32 bits with a sign; 0 would switch the protection off; a repeat must have the same one, after a restart too."""
    mark = random_id(message_id, piece)
    assert mark == random_id(message_id, piece)
    assert -(2**31) <= mark < 2**31
    assert mark != 0


def test_the_mark_never_changes_between_releases() -> None:
    """A message that was sent before an update and is repeated after it must not double."""
    assert [random_id("evt_1-1", 0), random_id("evt_1-1", 1)] == [-756978838, -171718983]


def test_each_piece_has_its_own_mark() -> None:
    """Otherwise VK would drop the second piece as a repeat of the first."""
    pieces = to_pieces(_message(text="слово " * 2000))
    assert len({piece.random_id for piece in pieces}) == len(pieces) == 3
    assert all(len(piece.text) <= PIECE_LIMIT for piece in pieces)
    again = to_pieces(_message(text="слово " * 2000))
    assert pieces == again


def test_the_keyboard_hangs_on_the_last_piece() -> None:
    """It belongs to the question."""
    pieces = [piece.parameters() for piece in to_pieces(_message(text="слово " * 1000, buttons=("Да", "Нет")))]
    assert ["keyboard" in piece for piece in pieces] == [False, True]
    assert _rows(pieces[-1]) == [["Да", "Нет"]]


def test_long_titles_stand_alone_in_their_row() -> None:
    """Two long titles in a row are cut on a telephone."""
    (piece,) = to_pieces(_message(buttons=("Стрижка женская и укладка", "Нет")))
    assert _rows(piece.parameters()) == [["Стрижка женская и укладка"], ["Нет"]]


def test_many_titles_fill_wider_rows_and_the_rest_stands_in_the_text() -> None:
    """Ten rows, five in a row, forty in all; nothing is hidden."""
    titles = tuple(f"Услуга номер {number:02d} у нас" for number in range(45))
    (piece,) = to_pieces(_message(buttons=titles))
    rows = _rows(piece.parameters())
    assert len(rows) <= 10
    assert max(len(row) for row in rows) <= 5
    assert [title for row in rows for title in row] == list(titles[:40])
    assert all(title in piece.text for title in titles[40:])


def test_a_title_too_long_for_a_button_stands_in_the_text() -> None:
    """Cutting it would send back words that nobody offered."""
    long = "Окрашивание в технике аиртач со стрижкой и уходом"
    (piece,) = to_pieces(_message(buttons=(long, "Нет", " ")))
    assert _rows(piece.parameters()) == [["Нет"]]
    assert long in piece.text


def test_without_the_keyboard_the_choices_stand_in_the_text() -> None:
    """For communities that have switched keyboards off."""
    (piece,) = to_pieces(_message(buttons=("Утром", "Днём")))
    parameters = piece.parameters(with_keyboard=False)
    assert "keyboard" not in parameters
    assert parameters["message"] == "Когда?\n— Утром\n— Днём"
    assert parameters["random_id"] == piece.parameters()["random_id"]


@pytest.mark.parametrize("text", ["", " \n"])
def test_nothing_to_say_is_no_piece(text: str) -> None:
    """VK would refuse it."""
    assert to_pieces(_message(text=text, buttons=("Да",))) == []
