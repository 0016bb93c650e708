"""Our outgoing message in WhatsApp's words: pieces of bearable length, buttons, a list, or an approved template. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from leadgate.intake.untrusted import clean_text
from leadgate.integrations.whatsapp.addresses import Address
from leadgate.integrations.whatsapp.settings import Template
from leadgate.model.messages import OutgoingMessage
from leadgate.wire.pieces import split_text, with_choices

PIECE_LIMIT = 4096
"""Longest text of one message, in UTF-16 units: never more than Meta's count, whichever it uses."""

BODY_LIMIT = 1024
"""The same for a text with buttons or a list under it."""

CALLBACK_DATA = "biz_opaque_callback_data"

MESSAGE_LIMIT = 40_960
"""Longest text that we send at all, in characters."""

BUTTONS_LIMIT, BUTTON_TITLE_LIMIT = 3, 20
ROWS_LIMIT, ROW_TITLE_LIMIT = 10, 24
_PARAMETER_LIMIT = 1024
_LIST_BUTTON_RU, _LIST_BUTTON_EN = "Выбрать", "Choose"
_CYRILLIC = re.compile("[А-Яа-яЁё]")
_NOTHING = "-"  # an empty parameter is refused

Payload = dict[str, object]


def free_payloads(message: OutgoingMessage, address: Address) -> list[Payload]:
    """Bodies of the messages inside the 24-hour window, in order; what can be pressed hangs on the last one.

    Up to three short titles are buttons, up to ten are a list, and what fits neither stands in the text: nothing that is offered
    is hidden. A text without a visible character gives no body: Meta refuses it.
    """
    titles = [title.strip() for title in message.buttons if title.strip()]
    can_be_asked = message.ask_contact is not None and not address.is_phone
    interactive = _contact_request() if can_be_asked else _choices(titles)
    text = message.text if interactive is not None and not can_be_asked else with_choices(message.text, titles)
    pieces = split_text(clean_text(text, limit=MESSAGE_LIMIT), limit=PIECE_LIMIT)
    if not pieces:
        return []
    if interactive is None:
        return _traceable([_text_payload(address, piece) for piece in pieces], message)
    *heads, last = [*pieces[:-1], *split_text(pieces[-1], limit=BODY_LIMIT)]
    asks = _payload(address, "interactive", interactive | {"body": {"text": last}})
    return _traceable([*(_text_payload(address, piece) for piece in heads), asks], message)


def template_payload(message: OutgoingMessage, address: Address, template: Template) -> Payload:
    """The body of an approved template, which is all that may be sent when the client has been silent for a day."""
    name, language = template
    content: Payload = {"name": name, "language": {"code": language}}
    if message.parameters:
        parameters = [{"type": "text", "text": _parameter(text)} for text in message.parameters]
        content["components"] = [{"type": "body", "parameters": parameters}]
    return _payload(address, "template", content) | {CALLBACK_DATA: message.message_id}


def _traceable(payloads: list[Payload], message: OutgoingMessage) -> list[Payload]:
    """Our message id comes back in every status, so that one whose answer was lost is known to have arrived.

    Of a message in several pieces none has it: a status of one would be taken for the whole.
    """
    return [payload | {CALLBACK_DATA: message.message_id} for payload in payloads] if len(payloads) == 1 else payloads


def _text_payload(address: Address, text: str) -> Payload:
    return _payload(address, "text", {"body": text, "preview_url": False})


def _payload(address: Address, kind: str, content: Payload) -> Payload:
    return {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        **address.recipient(),
        "type": kind,
        kind: content,
    }


def _choices(titles: Sequence[str]) -> Payload | None:
    """Buttons, a list, or None when the titles fit neither; two equal titles are refused by Meta."""
    titles = [clean_text(title, limit=ROW_TITLE_LIMIT + 1) for title in titles]
    longest = max((len(title) for title in titles), default=0)
    if not titles or len(set(titles)) < len(titles) or len(titles) > ROWS_LIMIT or longest > ROW_TITLE_LIMIT:
        return None
    if len(titles) <= BUTTONS_LIMIT and longest <= BUTTON_TITLE_LIMIT:
        buttons = [{"type": "reply", "reply": {"id": title, "title": title}} for title in titles]
        return {"type": "button", "action": {"buttons": buttons}}
    rows = [{"id": title, "title": title} for title in titles]
    opens = _LIST_BUTTON_RU if _CYRILLIC.search("".join(titles)) else _LIST_BUTTON_EN
    return {"type": "list", "action": {"button": opens, "sections": [{"rows": rows}]}}


def _contact_request() -> Payload:
    """Asks for the phone of somebody who hides it behind a username; the button's words are WhatsApp's own."""
    return {"type": "request_contact_info", "action": {"name": "request_contact_info"}}


def _parameter(text: str) -> str:
    """A parameter of a template: Meta takes neither line ends nor rows of spaces in it."""
    return " ".join(clean_text(text, limit=_PARAMETER_LIMIT).split()) or _NOTHING
