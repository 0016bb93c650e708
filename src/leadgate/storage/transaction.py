"""The stores of one workspace inside one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import bindparam, delete, insert, or_, select, update
from sqlalchemy.engine import Connection

from leadgate.storage.acceptances import SqlAcceptanceStore
from leadgate.storage.alerts import SqlAlertStore
from leadgate.storage.api import SqlAnswerStore, SqlTokenStore
from leadgate.storage.base import SqlStore, TolerantInsert, given, insert_or, of_workspace
from leadgate.storage.chats import SqlConversationStore, SqlFateStore, SqlInvitationStore
from leadgate.storage.connections import SqlConnectionStore
from leadgate.storage.consents import SqlConsentStore
from leadgate.storage.deliveries import SqlDeliveryStore
from leadgate.storage.erasures import SqlErasureStore
from leadgate.storage.events import SqlEventStore
from leadgate.storage.factors import SqlFactorStore
from leadgate.storage.incidents import SqlIncidentStore
from leadgate.storage.lanes import SqlLaneStore
from leadgate.storage.leads import SqlLeadStore
from leadgate.storage.people import SqlKeyStore, SqlSubjectStore
from leadgate.storage.persons import SqlPersonStore
from leadgate.storage.requests import SqlRequestStore
from leadgate.storage.retention import SqlRetentionStore
from leadgate.storage.reveals import SqlRevealStore
from leadgate.storage.rules import SqlRuleStore
from leadgate.storage.schema import connections, reconciliations, refusals, sweeps
from leadgate.storage.secrets import SqlSecretStore
from leadgate.storage.staff import SqlSalonStore, SqlStaffStore


def _add_up(new: TolerantInsert) -> TolerantInsert:
    return new.on_conflict_do_update(
        index_elements=["workspace_id", "hour", "connection_id", "code"],
        set_={"count": refusals.c.count + new.excluded.count, "last_at": new.excluded.last_at},
    )


_ADD_REFUSALS = insert_or(refusals, _add_up)
_NOTE_EVENT = update(connections).where(
    of_workspace(connections),
    given(connections.c.connection_id),
    or_(connections.c.last_event_at.is_(None), connections.c.last_event_at < bindparam("at")),
)
KEPT_RECONCILIATIONS = 400
"""A year of nights and some more."""

_ADD_RECONCILIATION = insert(reconciliations)
_NEWEST = (
    select(reconciliations.c.started_at)
    .where(of_workspace(reconciliations))
    .order_by(reconciliations.c.started_at.desc())
    .limit(KEPT_RECONCILIATIONS)
)
_FORGET_OLD = delete(reconciliations).where(of_workspace(reconciliations), reconciliations.c.started_at.not_in(_NEWEST))


def _move_on(new: TolerantInsert) -> TolerantInsert:
    return new.on_conflict_do_update(
        index_elements=["workspace_id", "connection_id"], set_={"swept_until": new.excluded.swept_until}
    )


_NOTE_SWEEP = insert_or(sweeps, _move_on)
_FIND_SWEEP = select(sweeps.c.swept_until).where(of_workspace(sweeps), given(sweeps.c.connection_id))


class SqlTransaction(SqlStore):
    """See `ports.stores.Transaction`."""

    def __init__(self, connection: Connection, workspace_id: str) -> None:
        """Put every store on this connection."""
        super().__init__(connection, workspace_id)
        self.connection = connection
        self.workspace_id = workspace_id
        self.keys = SqlKeyStore(connection, workspace_id)
        self.events = SqlEventStore(connection, workspace_id)
        self.subjects = SqlSubjectStore(connection, workspace_id)
        self.conversations = SqlConversationStore(connection, workspace_id)
        self.fates = SqlFateStore(connection, workspace_id)
        self.invitations = SqlInvitationStore(connection, workspace_id)
        self.leads = SqlLeadStore(connection, workspace_id)
        self.deliveries = SqlDeliveryStore(connection, workspace_id)
        self.lanes = SqlLaneStore(connection, workspace_id)
        self.connections = SqlConnectionStore(connection, workspace_id)
        self.secrets = SqlSecretStore(connection, workspace_id)
        self.staff = SqlStaffStore(connection, workspace_id)
        self.factors = SqlFactorStore(connection, workspace_id)
        self.reveals = SqlRevealStore(connection, workspace_id)
        self.salon = SqlSalonStore(connection, workspace_id)
        self.alerts = SqlAlertStore(connection, workspace_id)
        self.acceptances = SqlAcceptanceStore(connection, workspace_id)
        self.tokens = SqlTokenStore(connection, workspace_id)
        self.answers = SqlAnswerStore(connection, workspace_id)
        self.requests = SqlRequestStore(connection, workspace_id)
        self.rules = SqlRuleStore(connection, workspace_id)
        self.retention = SqlRetentionStore(connection, workspace_id)
        self.erasures = SqlErasureStore(connection, workspace_id)
        self.persons = SqlPersonStore(connection, workspace_id)
        self.incidents = SqlIncidentStore(connection, workspace_id)
        self.consents = SqlConsentStore(connection, workspace_id)

    def add_refusals(self, counts: Mapping[tuple[str, str], int], *, at: datetime) -> None:
        """Add to the counters of the current hour."""
        hour = at.replace(minute=0, second=0, microsecond=0)
        for (connection_id, code), count in sorted(counts.items()):
            self._keep(_ADD_REFUSALS, connection_id=connection_id, code=code, hour=hour, count=count, last_at=at)

    def note_event(self, connection_id: str, *, at: datetime) -> None:
        """The connection sent us something at this time."""
        self._run(_NOTE_EVENT, for_connection_id=connection_id, at=at, last_event_at=at)

    def add_reconciliation(self, *, started_at: datetime, result: str) -> None:
        """Keep the result."""
        self._keep(_ADD_RECONCILIATION, started_at=started_at, result=result)
        self._run(_FORGET_OLD)

    def find_sweep(self, connection_id: str) -> datetime | None:
        """Until when this CRM was swept."""
        until: datetime | None = self._run(_FIND_SWEEP, for_connection_id=connection_id).scalar()
        return until

    def note_sweep(self, connection_id: str, *, until: datetime) -> None:
        """This CRM was swept until this time."""
        self._keep(_NOTE_SWEEP, connection_id=connection_id, swept_until=until)
