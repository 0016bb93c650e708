"""Finds the first entry that is not as it was written. Pure: rows come in order, the verdict goes out.

Every row carries the signature of the checkpoint that it completes, and the leaf of an entry holds the signature before it. So
after a change nothing fits any more from that entry on, and only the key could make it fit again. Signatures are slow to check,
so only every `_STRIDE`-th is, and the last; when one does not fit, those since the last good one are checked one by one.
"""

from __future__ import annotations

from collections.abc import Iterable

from leadgate.audit.checkpoints import SIGNATURE_BYTES, Checkpoint, VerifyingKey
from leadgate.audit.encoding import leaf_of, read_line
from leadgate.audit.merkle import Frontier, leaf_hash
from leadgate.model.journal import JournalFault, JournalFaultKind

_STRIDE = 1024


class Inspection:
    """One walk through a journal from its first entry on."""

    def __init__(self, key: VerifyingKey, checkpoints: Iterable[Checkpoint] = ()) -> None:
        """Expect that the journal leads through these checkpoints."""
        self._key = key
        self._expected: dict[int, set[bytes]] = {}
        for checkpoint in checkpoints:
            self._expected.setdefault(checkpoint.size, set()).add(checkpoint.root)
        self._frontier = Frontier()
        self._previous = b""
        self._good = Frontier()
        self._unchecked: list[tuple[bytes, bytes]] = []
        self._fitting = 0

    @property
    def entries(self) -> int:
        """How many were read so far."""
        return self._frontier.size

    def read(self, columns: tuple[object, ...]) -> JournalFault | None:
        """Look at the next row; what is wrong, or None so far. After a fault nothing more is read."""
        expected = self.entries + 1
        if (wrong := _place(columns[0], expected)) is not None:
            return self._first_unsigned() or wrong
        changed = JournalFault(expected, JournalFaultKind.CHANGED)
        try:
            line = read_line(columns)
            leaf = leaf_hash(leaf_of(line, self._previous))
        except ValueError:
            return self._first_unsigned() or changed
        self._unchecked.append((leaf, line.signature))
        completed = self._frontier.append(leaf)
        if b"".join(completed) != line.hashes or len(line.signature) != SIGNATURE_BYTES:
            return self._first_unsigned() or changed
        self._previous = line.signature
        if len(self._unchecked) >= _STRIDE and (unsigned := self._settle()) is not None:
            return unsigned
        return self._leave_checkpoint()

    def end(self) -> JournalFault | None:
        """There are no more rows."""
        if (unsigned := self._settle()) is not None:
            return unsigned
        return JournalFault(self.entries + 1, JournalFaultKind.MISSING) if self._is_cut_off() else None

    def _is_cut_off(self) -> bool:
        return bool(self._expected) and max(self._expected) > self.entries

    def _settle(self) -> JournalFault | None:
        """Check the newest signature, and all since the last good one when it does not fit."""
        if not self._unchecked:
            return None
        if not self._is_signed(self._frontier, self._unchecked[-1][1]):
            return self._first_unsigned()
        self._good = self._frontier.copy()
        self._unchecked.clear()
        return None

    def _first_unsigned(self) -> JournalFault | None:
        frontier = self._good.copy()
        for leaf, signature in self._unchecked:
            frontier.append(leaf)
            if not self._is_signed(frontier, signature):
                return JournalFault(frontier.size, JournalFaultKind.CHANGED)
        return None

    def _is_signed(self, frontier: Frontier, signature: bytes) -> bool:
        return self._key.has_signed(frontier.size, frontier.root(), signature)

    def _leave_checkpoint(self) -> JournalFault | None:
        """At the size of a checkpoint: is this the tree that it was made of?"""
        roots = self._expected.get(self.entries)
        if roots is None:
            return None
        if roots == {self._frontier.root()}:
            self._fitting = self.entries
            return None
        # Whoever has the key signed another past. Which entry is another cannot be told, but none after the last fit is shown.
        return self._first_unsigned() or JournalFault(self._fitting + 1, JournalFaultKind.REWRITTEN)


def _place(number: object, expected: int) -> JournalFault | None:
    if number == expected and type(number) is int:
        return None
    if type(number) is int and number < expected:
        return JournalFault(number, JournalFaultKind.SURPLUS)
    return JournalFault(expected, JournalFaultKind.MISSING)
