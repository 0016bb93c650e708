"""Bodies of forms, in both encodings, as PHP reads them. JSON is read where it arrives, in `rest.py`."""

from __future__ import annotations

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import HTTP
from urllib.parse import urlencode

from leadgate.sandbox.bitrix24.php_query import PhpValue, parse_php_query

URL_ENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"


def read_form(body: bytes, content_type: str) -> dict[str, PhpValue]:
    """The fields of a form; files are passed over.

    Raises:
        MalformedQueryError: too many variables or too deep brackets.
    """
    if not content_type.lower().startswith(MULTIPART):
        return parse_php_query(body.decode("utf-8", errors="replace"))
    return parse_php_query(urlencode(_parts(body, content_type)))


def _parts(body: bytes, content_type: str) -> list[tuple[str, str]]:
    head = f"content-type: {content_type}\r\n\r\n".encode("latin-1", errors="replace")
    message = message_from_bytes(head + body, policy=HTTP)
    parts = [part for part in message.iter_parts() if isinstance(part, EmailMessage)]
    named = ((part.get_param("name", header="content-disposition"), part) for part in parts if not part.get_filename())
    return [(name, _text(part)) for name, part in named if isinstance(name, str)]


def _text(part: EmailMessage) -> str:
    payload = part.get_payload(decode=True)
    return payload.decode("utf-8", errors="replace") if isinstance(payload, bytes) else ""
