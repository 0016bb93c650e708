"""The normalised event as people and programs see it (contract, section 4), and parsing without storing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from enum import StrEnum

from leadgate.intake.signatures import body_key
from leadgate.model.connections import OpenConnection
from leadgate.model.events import PUBLIC_FIELDS, NormalisedEvent
from leadgate.model.webhooks import VerifiedWebhook
from leadgate.ports.channel import WebhookReceiver

PublicValue = str | bool | None


def to_public(event: NormalisedEvent) -> dict[str, PublicValue]:
    """Exactly the contract's fields, in its order: times as ISO 8601 in UTC, None where it does not apply."""
    return {name: _public(getattr(event, name)) for name in PUBLIC_FIELDS}


def parse_bodies(
    receiver: WebhookReceiver, bodies: Iterable[bytes], connection: OpenConnection
) -> Iterator[dict[str, PublicValue]]:
    """Normalise raw bodies and store nothing (`leadgate parse`).

    The bodies are taken as authentic: whoever holds the files proved them. A webhook whose id travels in a
    header has the hash of its body as key here.
    """
    for body in bodies:
        webhook = VerifiedWebhook(natural_key=body_key(body), conversation_key=None, body=body)
        for event in receiver.parse(webhook, connection):
            yield to_public(event)


def _public(value: object) -> PublicValue:
    match value:
        case None | bool():
            return value
        case StrEnum():
            return value.value
        case datetime():
            return value.astimezone(UTC).isoformat()
        case _:
            return str(value)
