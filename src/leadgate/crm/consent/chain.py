"""The hash of a line of the register: over the line before it and every column of its own. Pure."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

import msgspec

from leadgate.ports.stores import StoredConsent

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def hash_line(line: StoredConsent, before: bytes) -> bytes:
    """SHA-256 over the hash before (empty for the first line) and the line; the sealed part counts as its ciphertext.

    So the chain can be checked by anybody, without a key, also after the person was erased.
    """
    columns = (
        line.number,
        line.subject_id,
        line.purpose.value,
        line.decision.value,
        (line.decided_at - _EPOCH) // _MICROSECOND,
        (line.recorded_at - _EPOCH) // _MICROSECOND,
        line.text_id,
        line.text_hash,
        line.message_id,
        line.event_id,
        hashlib.sha256(line.sealed_details).hexdigest(),
    )
    return hashlib.sha256(before + msgspec.json.encode(columns)).digest()
