"""Versions of secrets as a rotation sees them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, delete, select, update

from leadgate.ports.stores import StoredSecret
from leadgate.storage.base import SqlStore, given, of_workspace
from leadgate.storage.connections import secret_of
from leadgate.storage.schema import connections, secrets

_IN_ORDER = (secrets.c.connection_id, secrets.c.name, secrets.c.version.desc())
_LIVING = select(connections.c.connection_id).where(of_workspace(connections), connections.c.state != "removed")
_ALL = select(secrets).where(of_workspace(secrets), secrets.c.connection_id.in_(_LIVING)).order_by(*_IN_ORDER)
_HOLD = (
    select(connections.c.connection_id)
    .where(of_workspace(connections), given(connections.c.connection_id))
    .with_for_update()
)
_IS_SECRET = (of_workspace(secrets), given(secrets.c.connection_id), given(secrets.c.name))
_OF = select(secrets).where(*_IS_SECRET).order_by(*_IN_ORDER)
_CHANGE = update(secrets).where(*_IS_SECRET, given(secrets.c.version))
_DROP = delete(secrets).where(*_IS_SECRET, given(secrets.c.version))
_DROP_ENDED = delete(secrets).where(of_workspace(secrets), secrets.c.live_until <= bindparam("now"))


class SqlSecretStore(SqlStore):
    """See `ports.stores.SecretStore`."""

    def all(self) -> Sequence[StoredSecret]:
        """Every version."""
        return [secret_of(row) for row in self._run(_ALL)]

    def hold(self, connection_id: str) -> None:
        """SQLite has one writer anyway."""
        self._run(_HOLD, for_connection_id=connection_id)

    def of(self, connection_id: str, name: str) -> Sequence[StoredSecret]:
        """Every version of one secret."""
        return [secret_of(row) for row in self._run(_OF, for_connection_id=connection_id, for_name=name)]

    def set_until(self, secret: StoredSecret, until: datetime) -> None:
        """A version is good until then."""
        self._change(secret, live_until=until)

    def promote(self, secret: StoredSecret, *, at: datetime) -> None:
        """A candidate becomes the one we use."""
        self._change(secret, is_candidate=0, overlap_s=None, created_at=at, live_until=None)

    def drop(self, secret: StoredSecret) -> None:
        """Delete the row."""
        self._run(_DROP, **_key(secret))

    def drop_ended(self, *, now: datetime) -> int:
        """Delete the rows of what has run out."""
        return int(self._run(_DROP_ENDED, now=now).rowcount)

    def _change(self, secret: StoredSecret, **values: object) -> None:
        self._run(_CHANGE, **_key(secret), **values)


def _key(secret: StoredSecret) -> dict[str, object]:
    return {"for_connection_id": secret.connection_id, "for_name": secret.name, "for_version": secret.version}
