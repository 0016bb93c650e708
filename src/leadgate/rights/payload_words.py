"""What a delivery carries, field by field and in words, for the person whom it is about. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime

from leadgate.delivery.payloads import Payload

_OURS = frozenset({"lead_id", "origin_id", "ref", "entry_id", "message_id", "by_person", "tried", "keeps_contacts"})
"""Our own handles and switches: they stand beside the delivery, or say nothing of the person."""


def payload_words(payload: Payload) -> Mapping[str, str]:
    """Every field with a value that says something of the person, parts of a record as `person.phone`."""
    return dict(_walk("", payload))


def _walk(prefix: str, record: object) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    if not is_dataclass(record):
        return found
    for field in fields(record):
        value = getattr(record, field.name)
        if field.name in _OURS or value in (None, "", ()):
            continue
        if is_dataclass(value):
            found += _walk(f"{prefix}{field.name}.", value)
        elif isinstance(value, datetime):
            found.append((prefix + field.name, value.isoformat()))
        elif isinstance(value, tuple | list):
            found.append((prefix + field.name, ", ".join(str(one) for one in value)))
        else:
            found.append((prefix + field.name, str(value)))
    return found
