"""The body that the widget posts: one message of a visitor. Read with care: anybody can post anything."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from leadgate.intake.untrusted import clean_text, object_at, text_at, value_at
from leadgate.model.leads import Utm

MAX_TEXT_CHARACTERS = 4000
MAX_UTM_CHARACTERS = 200
MAX_PAGE_CHARACTERS = 300

_MESSAGE_ID = re.compile(r"[A-Za-z0-9-]{8,64}")
_VISITOR_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
_LANGUAGE = re.compile(r"[a-z]{2}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteMessage:
    """One message. Complete in itself: the body is all that is kept until it is worked on.

    Attributes:
        visitor_id: who writes; the door lets it in only when the token says the same.
        message_id: made in the browser; the same in every repeat.
        text: 1 to 4000 characters, exactly as typed or as the button says.
        is_button: the visitor pressed a quick answer.
        utm: None when the page's address had none.
        page: path of the page, without query and fragment.
        language: two letters of the page's language.
    """

    visitor_id: str
    message_id: str
    text: str
    is_button: bool
    utm: Utm | None
    page: str | None
    language: str | None

    @property
    def key(self) -> str:
        """Equal for a repeat, different for different messages: visitor and the browser's own id."""
        return f"{self.visitor_id}:{self.message_id}"


def bad_fields(document: Mapping[str, object]) -> list[str]:
    """Names of unfit fields without which a message cannot be taken. Odd others are left out, not refused."""
    readers = {"visitor": _visitor_id, "id": _message_id, "text": _text}
    return [name for name, reader in readers.items() if reader(document) is None]


def find_message(document: Mapping[str, object] | None) -> SiteMessage | None:
    """The message, or None when there is no document or its `visitor`, `id` or `text` is unfit."""
    if document is None:
        return None
    visitor_id, message_id, text = _visitor_id(document), _message_id(document), _text(document)
    if visitor_id is None or message_id is None or text is None:
        return None
    return SiteMessage(
        visitor_id=visitor_id,
        message_id=message_id,
        text=text,
        is_button=document.get("button") is True,
        utm=_utm(document),
        page=_page(document),
        language=_language(document),
    )


def _visitor_id(document: Mapping[str, object]) -> str | None:
    value = value_at(document, "visitor")
    return value if isinstance(value, str) and _VISITOR_ID.fullmatch(value) else None


def _message_id(document: Mapping[str, object]) -> str | None:
    value = value_at(document, "id")
    return value if isinstance(value, str) and _MESSAGE_ID.fullmatch(value) else None


def _text(document: Mapping[str, object]) -> str | None:
    value = value_at(document, "text")
    if not isinstance(value, str) or not value.strip() or len(value) > MAX_TEXT_CHARACTERS:
        return None
    return clean_text(value, limit=MAX_TEXT_CHARACTERS)


def _utm(document: Mapping[str, object]) -> Utm | None:
    labels = object_at(document, "utm")
    parts = {name: text_at(labels, name, limit=MAX_UTM_CHARACTERS) for name in Utm.__dataclass_fields__}
    return Utm(**parts) if any(parts.values()) else None


def _page(document: Mapping[str, object]) -> str | None:
    path = text_at(document, "page", limit=MAX_PAGE_CHARACTERS)
    return re.split(r"[?#]", path, maxsplit=1)[0] if path and path.startswith("/") else None


def _language(document: Mapping[str, object]) -> str | None:
    value = value_at(document, "lang")
    return value if isinstance(value, str) and _LANGUAGE.fullmatch(value) else None
