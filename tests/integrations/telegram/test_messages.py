import pytest

from leadgate.integrations.telegram.messages import send_payloads
from leadgate.model.messages import OutgoingMessage


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
    """Empty titles are refused by Telegram, a hundred buttons are the most, and what is left over stands in the text."""
    titles = ("", " ", *(f"{number}" for number in range(150)))
    (payload,) = send_payloads(
        OutgoingMessage(message_id="m", chat_id="1", text="x", buttons=titles, ask_contact="Мой номер")
    )
    markup = payload["reply_markup"]
    assert isinstance(markup, dict)
    buttons = [button for row in markup["keyboard"] for button in row]
    assert len(buttons) == 100
    assert all(button["text"].strip() for button in buttons)
    assert "— 99\n— 100\n" in str(payload["text"])


def test_long_titles_stand_alone_in_their_row() -> None:
    """Two long titles in a row are cut on a telephone."""
    (payload,) = send_payloads(
        OutgoingMessage(message_id="m", chat_id="1", text="x", buttons=("Стрижка женская и укладка", "Нет"))
    )
    markup = payload["reply_markup"]
    assert isinstance(markup, dict)
    assert [len(row) for row in markup["keyboard"]] == [1, 1]
