"""Same request, same effect, once: claims and answers by idempotency key, kept for a day.

A request is claimed before it is worked on. Where its effect is one commit, the answer is kept in the same transaction, so that a
crash leaves either both or neither, and a node that froze in between cannot write after another one took over. A claim without an
answer counts as abandoned after a minute.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from leadgate.errors import ConfigurationError, ConflictError, LeaseLostError
from leadgate.ports.clock import Clock, IdSource
from leadgate.ports.stores import KeptAnswer, Transaction
from leadgate.storage.sql_storage import SqlStorage

KEPT_FOR = timedelta(hours=24)
CLAIMED_FOR = timedelta(minutes=1)


class StillRunningError(ConflictError):
    """A request with this Idempotency-Key is being worked on.

    Attributes:
        retry_after_s: by then its answer is there, or it may be sent again.
    """

    code = "api.key_running"

    def __init__(self, retry_after_s: int) -> None:
        """Remember for how long to wait."""
        super().__init__("A request with this Idempotency-Key is being worked on.")
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to work on a request and to keep its answer."""

    key_hash: bytes
    name: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered: HTTP status and body."""

    status: int
    body: bytes


class KeptAnswers:
    """The answers of one workspace."""

    def __init__(self, storage: SqlStorage, *, clock: Clock, ids: IdSource) -> None:
        """Keep answers in this storage."""
        self._storage = storage
        self._clock = clock
        self._ids = ids

    async def begin(self, key_hash: bytes, fingerprint: bytes) -> Claim | Answer:
        """Claim a request, or give the answer that it had.

        Args:
            key_hash: of the idempotency key and of who sent it.
            fingerprint: of what is asked for.

        Raises:
            ConfigurationError: the key was used for another request (`api.key_reused`).
            StillRunningError: somebody works on it.
        """
        now = self._clock.now()
        mine = KeptAnswer(
            fingerprint=fingerprint, claim=self._ids.token(9), claimed_until=now + CLAIMED_FOR, created_at=now
        )

        def unit(tx: Transaction) -> KeptAnswer:
            tx.answers.forget(before=now - KEPT_FOR)
            return mine if tx.answers.claim(key_hash, mine) else _find(tx, key_hash, mine)

        kept = await self._storage.write(unit)
        if kept.status is not None:
            return Answer(kept.status, kept.body or b"")
        return Claim(key_hash, mine.claim)

    @contextmanager
    def joined(self, claim: Claim, to_answer: Callable[[object], Answer]) -> Iterator[None]:
        """Within the block, what the calling task writes keeps the answer made of its result, in the same transaction.

        A commit raises LeaseLostError, and keeps nothing, when somebody took the claim over.
        """
        with self._storage.joined(lambda tx, result: _finish(tx, claim, to_answer(result))):
            yield

    async def finish(self, claim: Claim, answer: Answer) -> None:
        """Keep an answer whose effect is no single commit of ours.

        Raises:
            LeaseLostError: somebody took the claim over.
        """
        await self._storage.write(lambda tx: _finish(tx, claim, answer))

    async def release(self, claim: Claim) -> None:
        """Let the request be sent again, unless its answer was kept."""
        await self._storage.write(lambda tx: tx.answers.release(claim.key_hash, claim=claim.name))


def _find(tx: Transaction, key_hash: bytes, mine: KeptAnswer) -> KeptAnswer:
    """The answer that is there, or our own claim in the place of a dead one."""
    kept = tx.answers.find(key_hash)
    if kept is None:  # released between two statements of ours
        raise StillRunningError(1)
    if kept.fingerprint != mine.fingerprint:
        raise ConfigurationError("This Idempotency-Key was used for another request.", code="api.key_reused")
    if kept.status is not None:
        return kept
    left = kept.claimed_until - mine.created_at
    if left > timedelta() or not tx.answers.take_over(
        key_hash, of=kept.claim, claim=mine.claim, claimed_until=mine.claimed_until
    ):
        raise StillRunningError(max(1, min(int(left.total_seconds()) + 1, int(CLAIMED_FOR.total_seconds()))))
    return mine


def _finish(tx: Transaction, claim: Claim, answer: Answer) -> None:
    if not tx.answers.finish(claim.key_hash, claim=claim.name, status=answer.status, body=answer.body):
        raise LeaseLostError("Somebody else works on this request now.", code="api.claim_lost")
