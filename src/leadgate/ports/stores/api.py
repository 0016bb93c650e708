"""What the API keeps: tokens of programs, and answers for requests with an idempotency key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from leadgate.model.staff import ApiToken


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptAnswer:
    """What is kept of one request with an idempotency key.

    Attributes:
        fingerprint: keyed hash of what was asked, so that the key cannot be used for something else.
        claim: who works on it; changes when somebody takes it over.
        claimed_until: after this time whoever works on it counts as dead.
        status: HTTP status of the answer; None while there is none. `body` likewise.
    """

    fingerprint: bytes
    claim: str
    claimed_until: datetime
    created_at: datetime
    status: int | None = None
    body: bytes | None = None


class TokenStore(Protocol):
    """Tokens of programs; only their hashes."""

    def add(self, token: ApiToken, token_hash: bytes) -> None:
        """Keep a new token."""
        ...

    def all(self) -> Sequence[ApiToken]:
        """Every token there ever was, newest first."""
        ...

    def find(self, token_id: str) -> tuple[ApiToken, bytes] | None:
        """A token and its hash, whether it still works or not."""
        ...

    def touch(self, token_id: str, *, at: datetime) -> None:
        """The token was used at this time."""
        ...

    def revoke(self, token_id: str, *, at: datetime) -> bool:
        """End a token; False when there is none. The time of a second call is not kept."""
        ...


class AnswerStore(Protocol):
    """Answers by idempotency key."""

    def find(self, key_hash: bytes) -> KeptAnswer | None:
        """What is kept under this key."""
        ...

    def claim(self, key_hash: bytes, answer: KeptAnswer) -> bool:
        """Begin to work on a request; False when something is kept under the key already."""
        ...

    def take_over(self, key_hash: bytes, *, of: str, claim: str, claimed_until: datetime) -> bool:
        """Work on it in the place of `of`, who is dead; False when that claim has ended or was taken over by somebody else."""
        ...

    def finish(self, key_hash: bytes, *, claim: str, status: int, body: bytes) -> bool:
        """Keep the answer; False when the claim is not ours any more."""
        ...

    def release(self, key_hash: bytes, *, claim: str) -> None:
        """Forget a request that has no answer, so that it may be sent again; one that has an answer stays."""
        ...

    def forget(self, *, before: datetime) -> int:
        """Drop what was begun before this time; returns how many."""
        ...
