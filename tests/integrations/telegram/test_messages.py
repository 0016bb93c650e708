import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadgate.integrations.telegram.messages import send_payloads, split_text
from leadgate.model.messages import OutgoingMessage


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


@given(text=st.text(st.sampled_from("ab яё\n😀👩‍"), max_size=200), limit=st.integers(2, 20))
def test_pieces_fit_and_lose_no_visible_character(text: str, limit: int) -> None:
    """Only pieces of nothing but spaces are left out; no character is cut in half."""
    pieces = split_text(text, limit=limit)
    assert all(_units(piece) <= limit and piece.strip() for piece in pieces)
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
    ("chat_id", "sent"), [("5", 5), ("-100190", -100190), ("--5", "--5"), ("@salon", "@salon"), ("", "")]
)
def test_a_chat_is_a_number_where_it_is_one(chat_id: str, sent: int | str) -> None:
    """Anything else is Telegram's to refuse, and never makes us fall over."""
    (payload,) = send_payloads(OutgoingMessage(message_id="m", chat_id=chat_id, text="x"))
    assert payload["chat_id"] == sent


def test_unstorable_text_is_cleaned_before_it_is_sent() -> None:
    """Half a character cannot be written as UTF-8."""
    (payload,) = send_payloads(OutgoingMessage(message_id="m", chat_id="1", text="а\ud83dб\x00"))
    assert payload["text"] == "а\ufffdб\ufffd"


def test_titles_of_buttons_are_kept_to_what_telegram_takes() -> None:
    """Empty titles are refused by Telegram, and a hundred buttons are the most."""
    titles = ("", " ", *(f"{number}" for number in range(150)))
    (payload,) = send_payloads(
        OutgoingMessage(message_id="m", chat_id="1", text="x", buttons=titles, ask_contact="Мой номер")
    )
    markup = payload["reply_markup"]
    assert isinstance(markup, dict)
    buttons = [button for row in markup["keyboard"] for button in row]
    assert len(buttons) == 100
    assert all(button["text"].strip() for button in buttons)


def test_long_titles_stand_alone_in_their_row() -> None:
    """Two long titles in a row are cut on a telephone."""
    (payload,) = send_payloads(
        OutgoingMessage(message_id="m", chat_id="1", text="x", buttons=("Стрижка женская и укладка", "Нет"))
    )
    markup = payload["reply_markup"]
    assert isinstance(markup, dict)
    assert [len(row) for row in markup["keyboard"]] == [1, 1]
