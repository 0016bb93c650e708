"""What the report on reach is made of: one query per table, nothing personal."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import func, select

from leadgate.model.alerts import CANARY_ID
from leadgate.model.leads import LeadRef
from leadgate.model.reach import ReachFacts
from leadgate.storage.base import SqlStore, of_workspace
from leadgate.storage.leads import find_ref
from leadgate.storage.schema import conversations, identifiers, leads, subject_joins, subjects

_PEOPLE = select(func.count()).where(
    of_workspace(subjects),
    subjects.c.erased_at.is_(None),
    # Read once for all: tied to each row it would be walked through for each.
    subjects.c.subject_id.not_in(select(subject_joins.c.subject_id).where(of_workspace(subject_joins))),
)
_ERASED = select(subjects.c.subject_id).where(of_workspace(subjects), subjects.c.erased_at.is_not(None))
_CHATS = select(conversations.c.subject_id, conversations.c.connection_id).where(
    of_workspace(conversations),
    conversations.c.unreachable_since.is_(None),
    conversations.c.sealed_address.is_not(None),
    conversations.c.connection_id != CANARY_ID,
)
_JOINS = select(subject_joins.c.subject_id, subject_joins.c.into_subject_id).where(of_workspace(subject_joins))
_WITH_PHONE = select(identifiers.c.subject_id).where(of_workspace(identifiers), identifiers.c.kind == "phone")


class SqlReach(SqlStore):
    """Reads for one workspace."""

    def facts(self) -> ReachFacts:
        """Everything that the report needs."""
        return ReachFacts(
            people=self._run(_PEOPLE).scalar_one(),
            chats=[(row.subject_id, row.connection_id) for row in self._run(_CHATS)],
            joins={row.subject_id: row.into_subject_id for row in self._run(_JOINS)},
            with_phone=frozenset(self._run(_WITH_PHONE).scalars()),
            erased=frozenset(self._run(_ERASED).scalars()),
        )

    def last_refs(self, subject_ids: Collection[str]) -> Mapping[str, tuple[int, LeadRef]]:
        """The last lead of each of these subjects that is in the CRM, with its place in the order of all leads."""
        query = (
            select(leads)
            .where(self._mine(leads), leads.c.subject_id.in_(subject_ids), leads.c.crm_id.is_not(None))
            .order_by(leads.c.seq)
        )
        found = ((row, find_ref(row)) for row in self._connection.execute(query))
        return {row.subject_id: (row.seq, ref) for row, ref in found if ref is not None}
