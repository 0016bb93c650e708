from typing import Any

import pytest

from leadgate.integrations.max.messages import send_bodies
from leadgate.model.messages import OutgoingMessage


def _bodies(**changed: object) -> list[dict[str, Any]]:
    message = OutgoingMessage(**{"message_id": "m", "chat_id": "1", "text": "Когда?", **changed})  # type: ignore[arg-type] # fields by name
    return send_bodies(message)


def _rows(body: dict[str, Any]) -> list[list[dict[str, str]]]:
    (attachment,) = body["attachments"]
    assert attachment["type"] == "inline_keyboard"
    rows: list[list[dict[str, str]]] = attachment["payload"]["buttons"]
    return rows


def test_a_press_sends_the_title_back() -> None:
    """The script knows the answers by their words."""
    (body,) = _bodies(buttons=("Утром", "Днём", "Вечером"))
    assert _rows(body) == [
        [{"type": "callback", "text": title, "payload": title} for title in ("Утром", "Днём")],
        [{"type": "callback", "text": "Вечером", "payload": "Вечером"}],
    ]


def test_the_button_for_the_own_number_stands_alone_and_first() -> None:
    """MAX takes three such buttons in a row at most, and it is what we ask for."""
    (body,) = _bodies(ask_contact="Поделиться номером", buttons=("Позже",))
    assert _rows(body)[0] == [{"type": "request_contact", "text": "Поделиться номером"}]
    assert [button["text"] for button in _rows(body)[1]] == ["Позже"]


def test_without_buttons_there_is_no_keyboard() -> None:
    """MAX refuses an empty one."""
    assert _bodies(buttons=("", " "), ask_contact=" ") == [{"text": "Когда?"}]


def test_long_titles_stand_alone_in_their_row() -> None:
    """Two of them can be read up to ten characters."""
    (body,) = _bodies(buttons=("Стрижка женская", "Нет"))
    assert [len(row) for row in _rows(body)] == [1, 1]


@pytest.mark.parametrize("ask_contact", [None, "Мой номер"])
@pytest.mark.parametrize("count", [29, 30, 61, 203, 204, 300])
def test_many_titles_fill_wider_rows_and_the_rest_stands_in_the_text(count: int, ask_contact: str | None) -> None:
    """Thirty rows, seven in a row, 210 in all; nothing is hidden."""
    titles = tuple(f"Услуга номер {number:03d}" for number in range(count))
    bodies = _bodies(buttons=titles, ask_contact=ask_contact)
    rows = _rows(bodies[-1])
    assert len(rows) <= 30
    assert max(len(row) for row in rows) <= 7
    offered = {button["text"] for row in rows for button in row}
    text = "".join(body["text"] for body in bodies)
    assert [title for title in titles if title not in offered and title not in text] == []


def test_a_title_too_long_for_a_button_stands_in_the_text() -> None:
    """Cutting it would send back words that nobody offered."""
    long = "Окрашивание " * 11
    (body,) = _bodies(buttons=(long, "Нет"))
    assert [button["text"] for row in _rows(body) for button in row] == ["Нет"]
    assert long.strip() in body["text"]


def test_a_long_text_goes_in_pieces_and_the_buttons_under_the_last() -> None:
    """They belong to the question."""
    bodies = _bodies(text="слово " * 1500, buttons=("Да",))
    assert ["attachments" in body for body in bodies] == [False, False, True]
    assert all(len(body["text"]) <= 4000 for body in bodies)


@pytest.mark.parametrize("text", ["", " \n"])
def test_nothing_to_say_is_no_body(text: str) -> None:
    """MAX would refuse it."""
    assert _bodies(text=text, buttons=("Да",)) == []
