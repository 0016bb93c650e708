"""How fast a bot may speak: a rate for all its chats together, one within each chat, and what the vendor says in 429.

Kept in the process: each node keeps to it, and a vendor that counts over all nodes answers 429, which every node obeys.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from leadgate.ports.clock import Clock

PATIENCE_S = 2.0
"""Longest wait inside a send; longer ones give the lane back."""

_CHATS_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class Rate:
    """So many sends a second in the long run, and so many at once after a rest (generic cell rate algorithm, ITU-T I.371)."""

    per_second: float
    burst: int = 1

    @property
    def interval_s(self) -> float:
        """Seconds between two sends in the long run."""
        return 1.0 / self.per_second

    @property
    def credit_s(self) -> float:
        """How far ahead of the long run a burst may be."""
        return (self.burst - 1) * self.interval_s


class Pace:
    """The pace of one bot."""

    def __init__(self, clock: Clock, *, bot: Rate, chat: Rate | None = None) -> None:
        """Begin at rest; `chat` is None when the vendor has no limit for one chat."""
        self._clock = clock
        self._bot = bot
        self._chat = chat
        self._bot_due_s = 0.0
        self._chat_due_s: dict[str, float] = {}

    async def turn(self, chat_id: str) -> timedelta | None:
        """Wait for this chat's turn; None when it may send now, else how long it still has to wait (nothing is reserved)."""
        now_s = self._clock.monotonic_s()
        at_s = max(now_s, self._bot_due_s - self._bot.credit_s)
        if self._chat is not None:
            at_s = max(at_s, self._chat_due_s.get(chat_id, 0.0) - self._chat.credit_s)
        if at_s - now_s > PATIENCE_S:
            return timedelta(seconds=at_s - now_s)
        self._bot_due_s = max(self._bot_due_s, at_s) + self._bot.interval_s
        if self._chat is not None:
            self._note_chat(chat_id, max(self._chat_due_s.get(chat_id, 0.0), at_s) + self._chat.interval_s)
        if at_s > now_s:
            await asyncio.sleep(at_s - now_s)
        return None

    def hold(self, wait: timedelta) -> None:
        """The vendor asked the bot as a whole for a pause."""
        until_s = self._clock.monotonic_s() + wait.total_seconds()
        self._bot_due_s = max(self._bot_due_s, until_s + self._bot.credit_s)

    def _note_chat(self, chat_id: str, due_s: float) -> None:
        self._chat_due_s.pop(chat_id, None)
        self._chat_due_s[chat_id] = due_s  # the last in order, so that the first is the one longest silent
        while len(self._chat_due_s) > _CHATS_KEPT:
            del self._chat_due_s[next(iter(self._chat_due_s))]
