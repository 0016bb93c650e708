"""The campaign of rotations in small: `make rotations` runs it a thousand times."""

from __future__ import annotations

from pathlib import Path

from tests.rotations.campaign import run

KINDS = {
    "telegram.webhook_secret",
    "telegram.bot_token",
    "max.webhook_secret",
    "vk.webhook_secret",
    "avito.webhook_secret",
    "bot.signing_secret",
}


async def test_no_honest_request_is_refused_while_every_kind_of_secret_is_replaced(tmp_path: Path) -> None:
    """And no forged one is let in."""
    result = await run(tmp_path, count=6)
    assert result.replaced == dict.fromkeys(KINDS, 6)
    assert {kind for kind, _ in result.answers} == {"telegram", "max", "vk", "avito", "bot"}
    assert (result.refused, result.let_in) == ({}, {}), result.lines()
