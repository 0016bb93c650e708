"""The salon's own rules."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from leadgate.ports.stores.rules import StoredRule
from leadgate.storage.base import SqlStore, TolerantInsert, given, insert_or, of_workspace
from leadgate.storage.schema import rules


def _replace(new: TolerantInsert) -> TolerantInsert:
    return new.on_conflict_do_update(
        index_elements=["workspace_id", "name"],
        set_={
            "body": new.excluded.body,
            "version": rules.c.version + 1,
            "changed_at": new.excluded.changed_at,
            "changed_by": new.excluded.changed_by,
        },
    )


_SET = insert_or(rules, _replace)
_FIND = select(rules).where(of_workspace(rules), given(rules.c.name))


class SqlRuleStore(SqlStore):
    """See `ports.stores.RuleStore`."""

    def find(self, name: str) -> StoredRule | None:
        """The rule, or None."""
        row = self._one(_FIND, for_name=name)
        if row is None:
            return None
        return StoredRule(
            name=row.name,
            body=row.body,
            version=row.version,
            changed_at=row.changed_at,
            changed_by=row.changed_by,
        )

    def set(self, name: str, body: bytes, *, by: str, at: datetime) -> int:
        """Replace it."""
        self._keep(_SET, name=name, body=body, version=1, changed_at=at, changed_by=by)
        version: int = self._one(_FIND, for_name=name).version
        return version
