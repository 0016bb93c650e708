"""Who looked at a client's data, and why. The reason is in the audit journal; the words beside it are sealed and stay here.

The words are sealed under the key of the person whose data is looked at: somebody may write a name there, and it goes with them.
"""

from __future__ import annotations

from collections.abc import Sequence

from leadgate.errors import ConfigurationError, UnknownKeyError
from leadgate.model.journal import JournalEntry, Tag
from leadgate.model.reveals import Reveal, RevealReason
from leadgate.model.views import Page
from leadgate.ports.clock import Clock, IdSource
from leadgate.ports.journal import Trail
from leadgate.ports.stores import Storage, StoredReveal, Transaction
from leadgate.vault.envelope import Vault

MAX_WORDS = 500
_TAGS = {"evt": Tag.EVENT_REVEALED, "dlv": Tag.DELIVERY_REVEALED}


class Reveals:
    """Keeps who looked."""

    def __init__(self, storage: Storage, vault: Vault, journal: Trail, *, clock: Clock, ids: IdSource) -> None:
        """Words are sealed in this vault."""
        self._storage = storage
        self._vault = vault
        self._journal = journal
        self._clock = clock
        self._ids = ids

    async def note(self, on_id: str, *, scope: str | None, by: str, reason: RevealReason, words: str = "") -> None:
        """Take down a look before anything is shown.

        Args:
            scope: under whose key the words are sealed; None when nobody's is there, and they are not kept.

        Raises:
            ConfigurationError: the words are longer than 500 characters (`privacy.words_long`).
            JournalUnavailableError: it could not be journaled; nothing may be shown.
        """
        words = read_words(words)
        reveal_id, now = self._ids.new("rev"), self._clock.now()

        def unit(tx: Transaction) -> None:
            sealed = self._seal(tx, reveal_id, scope, words)
            reveal = StoredReveal(
                reveal_id=reveal_id,
                on_id=on_id,
                by_id=by,
                reason=reason.value,
                at=now,
                key_scope=scope if sealed else None,
                sealed_words=sealed,
            )
            tx.reveals.add(reveal)

        details: dict[str, str | int] = {"reason": reason.value, "reveal": reveal_id}
        await self._journal.record(JournalEntry(tag=_TAGS[on_id.partition("_")[0]], by=by, on=on_id, details=details))
        await self._storage.write(unit)

    async def page(self, *, limit: int, cursor: str | None = None, on: str | None = None) -> Page[Reveal]:
        """Newest first; of one event or delivery when it is named."""

        def unit(tx: Transaction) -> Sequence[Reveal]:
            found = tx.reveals.newest(limit=limit + 1, before=cursor, on_id=on)
            names = {by: tx.staff.find(by) for by in {one.by_id for one in found}}
            return [self._open(tx, one, getattr(names[one.by_id], "name", None)) for one in found]

        rows = await self._storage.read(unit)
        return Page(rows[:limit], rows[limit - 1].reveal_id if len(rows) > limit else None)

    def _seal(self, tx: Transaction, reveal_id: str, scope: str | None, words: str) -> bytes | None:
        if scope is None or not words:
            return None
        try:
            return self._vault.seal(tx, scope, _place(reveal_id), words.encode())
        except UnknownKeyError:  # erased meanwhile: there is nothing of theirs to look at either
            return None

    def _open(self, tx: Transaction, stored: StoredReveal, by_name: str | None) -> Reveal:
        words = None
        if stored.sealed_words is not None and stored.key_scope is not None:
            try:
                words = self._vault.open(tx, stored.key_scope, _place(stored.reveal_id), stored.sealed_words).decode()
            except UnknownKeyError:
                words = None
        return Reveal(
            reveal_id=stored.reveal_id,
            on_id=stored.on_id,
            by=stored.by_id,
            by_name=by_name,
            reason=RevealReason(stored.reason),
            at=stored.at,
            words=words,
        )


def read_words(words: str) -> str:
    """The words beside a reason. Raises ConfigurationError (`privacy.words_long`)."""
    words = " ".join(words.split())
    if len(words) > MAX_WORDS:
        raise ConfigurationError(f"At most {MAX_WORDS} characters, please.", code="privacy.words_long")
    return words


def _place(reveal_id: str) -> str:
    return f"reveals.words:{reveal_id}"
