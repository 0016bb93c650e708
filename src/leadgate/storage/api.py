"""What the API keeps: tokens of programs, and answers for requests with an idempotency key."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, delete, insert, select, update

from leadgate.model.staff import ApiToken, Role
from leadgate.ports.stores.api import KeptAnswer
from leadgate.storage.base import SqlStore, given, insert_unless_there, of_workspace
from leadgate.storage.schema import api_answers, api_tokens

_ADD_TOKEN = insert(api_tokens)
_ALL_TOKENS = (
    select(api_tokens)
    .where(of_workspace(api_tokens))
    .order_by(api_tokens.c.created_at.desc(), api_tokens.c.token_id.desc())
)
_IS_TOKEN = (of_workspace(api_tokens), given(api_tokens.c.token_id))
_FIND_TOKEN = select(api_tokens).where(*_IS_TOKEN)
_TOUCH_TOKEN = update(api_tokens).where(*_IS_TOKEN)
_REVOKE_TOKEN = update(api_tokens).where(*_IS_TOKEN, api_tokens.c.revoked_at.is_(None))

_IS_ANSWER = (of_workspace(api_answers), given(api_answers.c.key_hash))
_IS_CLAIM = (*_IS_ANSWER, given(api_answers.c.claim), api_answers.c.status.is_(None))
_FIND_ANSWER = select(api_answers).where(*_IS_ANSWER)
_CLAIM = insert_unless_there(api_answers)
_COUNTED = {"preserve_rowcount": True}  # of an insert SQLAlchemy does not keep it otherwise
_CHANGE_CLAIM = update(api_answers).where(*_IS_CLAIM)
_RELEASE = delete(api_answers).where(*_IS_CLAIM)
_FORGET = delete(api_answers).where(of_workspace(api_answers), api_answers.c.created_at < bindparam("before"))


class SqlTokenStore(SqlStore):
    """See `ports.stores.TokenStore`."""

    def add(self, token: ApiToken, token_hash: bytes) -> None:
        """Keep a new token."""
        self._keep(
            _ADD_TOKEN,
            token_id=token.token_id,
            token_hash=token_hash,
            name=token.name,
            role=token.role.value,
            scopes=None if token.scopes is None else " ".join(sorted(token.scopes)),
            created_at=token.created_at,
            expires_at=token.expires_at,
        )

    def all(self) -> Sequence[ApiToken]:
        """Newest first."""
        return [_token(row) for row in self._run(_ALL_TOKENS)]

    def find(self, token_id: str) -> tuple[ApiToken, bytes] | None:
        """A token and its hash."""
        row = self._one(_FIND_TOKEN, for_token_id=token_id)
        return None if row is None else (_token(row), bytes(row.token_hash))

    def touch(self, token_id: str, *, at: datetime) -> None:
        """It was used."""
        self._run(_TOUCH_TOKEN, for_token_id=token_id, last_used_at=at)

    def revoke(self, token_id: str, *, at: datetime) -> bool:
        """End it once; asking again changes nothing."""
        self._run(_REVOKE_TOKEN, for_token_id=token_id, revoked_at=at)
        return self.find(token_id) is not None


class SqlAnswerStore(SqlStore):
    """See `ports.stores.AnswerStore`."""

    def find(self, key_hash: bytes) -> KeptAnswer | None:
        """What is kept under this key."""
        row = self._one(_FIND_ANSWER, for_key_hash=key_hash)
        return None if row is None else _answer(row)

    def claim(self, key_hash: bytes, answer: KeptAnswer) -> bool:
        """Of two who begin at once the primary key lets one through."""
        statement = _CLAIM.postgres if self._is_postgres else _CLAIM.sqlite
        values = {
            "workspace_id": self._workspace_id,
            "key_hash": key_hash,
            "fingerprint": answer.fingerprint,
            "claim": answer.claim,
            "claimed_until": answer.claimed_until,
            "created_at": answer.created_at,
        }
        return self._connection.execute(statement, values, execution_options=_COUNTED).rowcount == 1

    def take_over(self, key_hash: bytes, *, of: str, claim: str, claimed_until: datetime) -> bool:
        """Change the claim in one statement that names the old one."""
        return self._change(key_hash, of, claim=claim, claimed_until=claimed_until)

    def finish(self, key_hash: bytes, *, claim: str, status: int, body: bytes) -> bool:
        """Keep the answer unless somebody took over."""
        return self._change(key_hash, claim, status=status, body=body)

    def release(self, key_hash: bytes, *, claim: str) -> None:
        """Forget it when it has no answer."""
        self._run(_RELEASE, for_key_hash=key_hash, for_claim=claim)

    def forget(self, *, before: datetime) -> int:
        """By the index of age."""
        return self._run(_FORGET, before=before).rowcount

    def _change(self, key_hash: bytes, own: str, **columns: object) -> bool:
        return self._run(_CHANGE_CLAIM, for_key_hash=key_hash, for_claim=own, **columns).rowcount == 1


def _token(row: Row[Any]) -> ApiToken:
    return ApiToken(
        token_id=row.token_id,
        name=row.name,
        role=Role(row.role),
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
        revoked_at=row.revoked_at,
        scopes=None if row.scopes is None else frozenset(row.scopes.split()),
    )


def _answer(row: Row[Any]) -> KeptAnswer:
    return KeptAnswer(
        fingerprint=bytes(row.fingerprint),
        claim=row.claim,
        claimed_until=row.claimed_until,
        created_at=row.created_at,
        status=row.status,
        body=None if row.body is None else bytes(row.body),
    )
