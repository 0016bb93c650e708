"""What a vendor sends us over HTTP, before and after it is proven genuine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class RawWebhook:
    """A request as it came.

    Attributes:
        method: `POST` or `GET`.
        headers: names in lower case; of a repeated header all values joined with ", ".
        query: decoded query parameters, last one wins. May hold a secret: never printed, never logged.
        body: raw bytes, at most the limit of the contract (1 MiB).
        peer: address of the machine at the other end of the connection, which may be a proxy's; None when it is not told.
    """

    method: str
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    peer: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class VerifiedWebhook:
    """A webhook whose authenticity is proven.

    Only `verify` of an integration makes one, and the intake when it reads one back from its own encrypted store;
    `parse` takes nothing else.

    Attributes:
        natural_key: equal for a redelivery of the same webhook, different for different ones; up to 512 characters.
        conversation_key: events with the same key are worked on in order; None when there is no order to keep.
        body: raw bytes as received.
        split: the single events of a batch, each a webhook of its own that `parse` takes; empty when it is one event. Each is
            kept under its own key, because a vendor may send the same event again alone or in another batch, and under the key
            of its own person, so that erasing one leaves nothing of them in another's row.
    """

    natural_key: str
    conversation_key: str | None
    body: bytes = field(repr=False)
    split: tuple[VerifiedWebhook, ...] = ()


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a verified webhook at the door.

    Attributes:
        event_id: `evt_…`, also for a duplicate: the id of the first one.
        duplicate: True when the same natural key was stored before.
    """

    event_id: str
    duplicate: bool


@dataclass(frozen=True, slots=True)
class WebhookAnswer:
    """What we answer the vendor; `headers` are further ones by name in lower case."""

    status: int
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()
