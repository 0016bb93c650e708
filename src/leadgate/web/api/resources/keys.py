"""The key encryption key: how it stands, and its rotation."""

from __future__ import annotations

from leadgate.model.keys import KeyStatus
from leadgate.web.access import Act
from leadgate.web.api.documents.keys import KeysDocument, keys_document
from leadgate.web.api.endpoint import Call, Nothing, reads, writes


async def show_keys(call: Call[Nothing, Nothing]) -> KeysDocument:
    """Which key wraps, how many data keys there are, and when the next rotation is due."""
    return keys_document(await call.house.keys.status())


async def rotate_keys(call: Call[Nothing, Nothing]) -> KeyStatus:
    """Wrap with a new key from now on; what is there is wrapped anew in the background."""
    return await call.house.keys.rotate(by=call.by)


def _rotated(_call: Call[Nothing, Nothing], status: KeyStatus) -> KeysDocument:
    return keys_document(status)


ENDPOINTS = (
    reads("/keys", show_keys),
    writes("/keys/rotate", rotate_keys, _rotated, act=Act.KEYS, is_one_commit=False),
)
