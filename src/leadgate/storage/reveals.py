"""Who looked at a client's data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import Row, bindparam, insert, select

from leadgate.ports.stores.reveals import StoredReveal
from leadgate.storage.base import LIMIT, SqlStore, given, of_workspace
from leadgate.storage.schema import reveals

_ADD = insert(reveals)
_NEWEST = (
    select(reveals)
    .where(of_workspace(reveals), reveals.c.reveal_id < bindparam("before"))
    .order_by(reveals.c.reveal_id.desc())
    .limit(LIMIT)
)
_NEWEST_ON = _NEWEST.where(given(reveals.c.on_id))
_LAST_ID = "s"
"""Greater than every id, `rev_…`, by the order of both engines."""
_FIELDS = tuple(field.name for field in fields(StoredReveal))


class SqlRevealStore(SqlStore):
    """See `ports.stores.RevealStore`."""

    def add(self, reveal: StoredReveal) -> None:
        """Keep one."""
        self._keep(_ADD, **{name: getattr(reveal, name) for name in _FIELDS})

    def newest(self, *, limit: int, before: str | None = None, on_id: str | None = None) -> Sequence[StoredReveal]:
        """By id, which grows with time."""
        given_on = {} if on_id is None else {"for_on_id": on_id}
        statement = _NEWEST if on_id is None else _NEWEST_ON
        return [_stored(row) for row in self._run(statement, limit=limit, before=before or _LAST_ID, **given_on)]


def _stored(row: Row[Any]) -> StoredReveal:
    values = {name: getattr(row, name) for name in _FIELDS}
    words = values["sealed_words"]
    return StoredReveal(**values | {"sealed_words": None if words is None else bytes(words)})
