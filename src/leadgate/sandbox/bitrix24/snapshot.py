"""The portal's state as one JSON document and back. Reads and writes no file; that is the work of `kept.py`.

What ends with the process stays out: faults, counters, tokens of applications.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Literal

import msgspec

from leadgate.sandbox.bitrix24.fields import ENTITIES, Entity
from leadgate.sandbox.bitrix24.portal import Caller, Comment, MultiField, Portal, Record, Store, User

VERSION = 1
_STORES = ("leads", "deals", "contacts")


class SnapshotError(Exception):
    """The document is no state of a portal; the text says why, without its content."""


class _Strict(msgspec.Struct, forbid_unknown_fields=True):
    """What is written here and nothing else."""


class _MultiField(_Strict):
    id: int
    type_id: str
    value_type: str
    value: str


class _Record(_Strict):
    """Values that are None are left out; `moments` are the values that are times."""

    id: int
    values: dict[str, str | int | float | list[int]]
    moments: dict[str, datetime]
    multifields: list[_MultiField]


class _Store(_Strict):
    next_id: int
    records: list[_Record]


class _Comment(_Strict):
    id: int
    owner_type: str
    owner_id: int
    text: str
    author_id: int
    created: datetime
    kind: Literal["comment", "todo"]


class _User(_Strict):
    name: str
    last_name: str
    is_admin: bool


class Snapshot(_Strict):
    """Everything about one portal that outlives the process; `webhook_secret` is invented, but treated like a real one."""

    version: int
    webhook_user_id: int
    webhook_secret: str
    user: _User
    mode: Literal[1, 2]
    has_rest: bool
    scopes: list[str]
    last_entry_id: int
    last_multifield_id: int
    leads: _Store
    deals: _Store
    contacts: _Store
    comments: list[_Comment]


def write_snapshot(portal: Portal) -> bytes:
    """The document for this portal, whose first webhook is the one that is kept."""
    (user_id, secret), _ = next(iter(portal.webhooks.items()))
    user = portal.users[user_id]
    snapshot = Snapshot(
        version=VERSION,
        webhook_user_id=user_id,
        webhook_secret=secret,
        user=_User(user.name, user.last_name, user.is_admin),
        mode=2 if portal.mode == 2 else 1,  # noqa: PLR2004 - the portal's own two numbers
        has_rest=portal.has_rest,
        scopes=sorted(portal.scopes),
        last_entry_id=portal.last_entry_id,
        last_multifield_id=portal.last_multifield_id,
        leads=_pack(portal.leads),
        deals=_pack(portal.deals),
        contacts=_pack(portal.contacts),
        comments=[msgspec.convert(comment, _Comment, from_attributes=True) for comment in portal.comments.values()],
    )
    # Not msgspec's own writer: a client may have sent half a surrogate pair, which only the escapes of `json` can hold.
    return json.dumps(msgspec.to_builtins(snapshot), separators=(",", ":")).encode("ascii") + b"\n"


def read_snapshot(document: bytes) -> Snapshot:
    """The state in a document.

    Raises:
        SnapshotError: it is cut off, changed by hand, or of a version that is not known here.
    """
    try:
        tree = json.loads(document)
    except (ValueError, RecursionError) as error:
        raise SnapshotError("it is not valid JSON") from error
    version = tree.get("version") if isinstance(tree, dict) else None
    if version != VERSION:
        raise SnapshotError(f"its version is not {VERSION}")
    try:
        return msgspec.convert(tree, Snapshot)
    except msgspec.ValidationError as error:
        where = str(error).rpartition(" - at `")[2].rstrip("`") or "$"
        raise SnapshotError(f"a value is missing or wrong at {where}") from error


def restore(portal: Portal, snapshot: Snapshot) -> None:
    """Puts the state into a fresh portal, in place of its own webhook."""
    user_id, user = snapshot.webhook_user_id, snapshot.user
    portal.webhooks = {(user_id, snapshot.webhook_secret): Caller(user_id=user_id, key="webhook")}
    portal.users = {user_id: User(user.name, user.last_name, user.is_admin)}
    portal.mode, portal.has_rest, portal.scopes = snapshot.mode, snapshot.has_rest, frozenset(snapshot.scopes)
    for entity, word in zip(ENTITIES.values(), _STORES, strict=True):
        _unpack(portal.store(entity), entity, getattr(snapshot, word))
    for comment in snapshot.comments:
        portal.keep_comment(Comment(**msgspec.structs.asdict(comment)))
    fields = [
        field.id for word in _STORES for record in getattr(snapshot, word).records for field in record.multifields
    ]
    portal.last_entry_id = max(snapshot.last_entry_id, *_with_zero(comment.id for comment in snapshot.comments))
    portal.last_multifield_id = max(snapshot.last_multifield_id, *_with_zero(fields))


def _pack(store: Store) -> _Store:
    return _Store(next_id=store.next_id, records=[_pack_record(record) for record in store])


def _pack_record(record: Record) -> _Record:
    given = {name: value for name, value in record.values.items() if value is not None}
    moments = {name: value for name, value in given.items() if isinstance(value, datetime)}
    return _Record(
        id=record.id,
        values=msgspec.convert({name: value for name, value in given.items() if name not in moments}, _Values),
        moments=moments,
        multifields=[_MultiField(one.id, one.type_id, one.value_type, one.value) for one in record.multifields],
    )


_Values = dict[str, str | int | float | list[int]]


def _unpack(store: Store, entity: Entity, packed: _Store) -> None:
    for record in packed.records:
        values: dict[str, object] = {name: [] if field.is_list else None for name, field in entity.fields.items()}
        values |= {name: value for name, value in {**record.values, **record.moments}.items() if name in values}
        multifields = [MultiField(one.id, one.type_id, one.value_type, one.value) for one in record.multifields]
        store.keep(Record(entity, record.id, values, multifields))
    store.next_id = max(packed.next_id, *_with_zero(record.id + 1 for record in packed.records))


def _with_zero(numbers: Iterable[int]) -> list[int]:
    return [0, *numbers]
