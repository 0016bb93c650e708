"""Where to answer: the salon's number and the person in one text, because a person may write to several numbers. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from leadgate.wire.graph_webhooks import joined_key

_PHONE = re.compile(r"[0-9]{5,20}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Address:
    """A chat: `number` is the id of the salon's number, `person` a phone in digits or a business-scoped id."""

    number: str
    person: str

    @property
    def is_phone(self) -> bool:
        """The person is named by phone. Meta wants it so where it can be, and keeps showing it then."""
        return _PHONE.fullmatch(self.person) is not None

    def recipient(self) -> dict[str, object]:
        """The field of a message that names the person."""
        return {"to": self.person} if self.is_phone else {"recipient": self.person}


def chat_of(number: str | None, person: str | None) -> str | None:
    """The chat's id in our house, or None when the person is not known."""
    return None if person is None else joined_key(number, person)


def find_address(chat_id: str, numbers: tuple[str, ...]) -> Address | None:
    """The address that a chat's id means, or None when it names no number and the settings name none either."""
    number, colon, person = chat_id.partition(":")
    if not colon:
        number, person = "", chat_id
    number = number or (numbers[0] if numbers else "")
    return Address(number, person) if number and person else None
