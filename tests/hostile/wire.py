"""Raw connections of an attacker: what was answered, read from the bytes; nothing of an HTTP library stands between."""

from __future__ import annotations

import asyncio
import contextlib
import re

PATIENCE_S = 60.0
_STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")
_ENOUGH = 2**20


async def fire(address: tuple[str, int], data: bytes, *, is_last: bool = True) -> list[int]:
    """Send bytes, say that nothing more comes, and read until the other side hangs up; the statuses in their order.

    Args:
        address: of the gateway.
        data: as it travels.
        is_last: False waits for one answer instead of the end.
    """
    try:
        async with asyncio.timeout(PATIENCE_S):
            reader, writer = await asyncio.open_connection(*address)
    except OSError:
        return []
    heard = bytearray()
    reading = asyncio.create_task(_read(reader, heard, until_end=is_last))
    try:
        async with asyncio.timeout(PATIENCE_S):
            with contextlib.suppress(OSError):
                writer.write(data)
                await writer.drain()
                if is_last and writer.can_write_eof():
                    writer.write_eof()
            await reading
    finally:
        reading.cancel()
        writer.transport.abort()
    return [int(status) for status in _STATUS.findall(bytes(heard))]


async def _read(reader: asyncio.StreamReader, heard: bytearray, *, until_end: bool) -> None:
    with contextlib.suppress(OSError):
        while part := await reader.read(65536):
            heard += part
            if len(heard) > _ENOUGH or (not until_end and _STATUS.search(heard)):
                return
