"""Creating and changing records: the rules that both families of methods share.

Reading a caller's parameters and shaping answers is the work of `items.py` and `legacy.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from leadgate.sandbox.bitrix24.arguments import entries, find_integer, is_yes, text
from leadgate.sandbox.bitrix24.fields import INTEGER_KINDS, LEAD, Entity, Field
from leadgate.sandbox.bitrix24.portal import Caller, MultiField, Portal, Record


@dataclass(frozen=True, slots=True)
class FieldEdit:
    """One wish for a multi-field: `id` None adds, an id changes, an empty value with an id deletes."""

    id: int | None
    type_id: str
    value_type: str
    value: str


@dataclass(frozen=True, slots=True)
class Context:
    """Where and for whom a change is made."""

    portal: Portal
    caller: Caller
    now: datetime


def read_value(field: Field, value: object) -> object:
    """The value as the portal stores it; what makes no sense for the type becomes None."""
    if field.is_list:
        numbers = [find_integer(item) for _, item in entries(value)]
        return [number for number in numbers if number is not None]
    if field.kind in INTEGER_KINDS:
        return find_integer(value)
    if field.kind == "boolean":
        return "Y" if is_yes(value) else "N"
    if field.kind == "double":
        return _number(value)
    return text(value) or None


def create(context: Context, entity: Entity, values: dict[str, object], *, edits: Iterable[FieldEdit] = ()) -> Record:
    """Makes a record with the portal's defaults under the given values, and stores it.

    Nothing is checked for duplicates: two records may have the same origin id, as in a real portal.
    """
    store = context.portal.store(entity)
    record = Record(entity=entity, id=store.new_id(), values={})
    record.values = {name: [] if field.is_list else None for name, field in entity.fields.items()}
    record.values |= _defaults(context, entity, record.id)
    record.values |= {
        name: value for name, value in values.items() if value is not None or name not in {"stageId", "title"}
    }
    _link_contacts(record, values)
    _apply_edits(context.portal, record, edits)
    _settle(context, record)
    store.keep(record)
    return record


def change(context: Context, record: Record, values: dict[str, object], *, edits: Iterable[FieldEdit] = ()) -> bool:
    """Writes the values into the record; False when nothing was different, and then nothing is saved."""
    different = {name: value for name, value in values.items() if record.values.get(name) != value}
    moved = "stageId" in different
    record.values |= different
    _link_contacts(record, different)
    if not _apply_edits(context.portal, record, edits) and not different:
        return False
    record.values |= {"updatedTime": context.now, "updatedBy": context.caller.user_id}
    if moved:
        record.values |= {"movedTime": context.now, "movedBy": context.caller.user_id}
    _settle(context, record)
    context.portal.store(record.entity).keep(record)
    return True


def semantics(portal: Portal, record: Record) -> str:
    """P while the record is in work, S after success, F after failure; P for a contact."""
    status = portal.status(record.entity.stage_directory, record.values.get("stageId"))
    return (status.semantics if status else None) or "P"


def _defaults(context: Context, entity: Entity, number: int) -> dict[str, object]:
    user_id = context.caller.user_id
    known: dict[str, object] = {
        "id": number,
        "title": f"{entity.title} #{number}",
        "stageId": "NEW",
        "sourceId": context.portal.statuses["SOURCE"][0].code,
        "opened": "Y",
        "export": "Y",
        "currencyId": "RUB",
        "opportunity": 0,
        "isManualOpportunity": "N",
        "categoryId": 0,
        "typeId": "SALE" if entity.word == "deal" else "CLIENT",
        "hasImol": "N",
        "assignedById": user_id,
        **dict.fromkeys(("createdBy", "updatedBy", "movedBy", "lastActivityBy"), user_id),
        **dict.fromkeys(("createdTime", "updatedTime", "movedTime", "lastActivityTime"), context.now),
    }
    return {name: value for name, value in known.items() if name in entity.fields}


def _link_contacts(record: Record, written: dict[str, object]) -> None:
    """`contactId` is the first of `contactIds`; writing one moves the other."""
    if "contactIds" in written:
        numbers = written["contactIds"]
        record.values["contactId"] = numbers[0] if isinstance(numbers, list) and numbers else None
    elif "contactId" in written:
        number = written["contactId"]
        record.values["contactIds"] = [number] if number else []


def _apply_edits(portal: Portal, record: Record, edits: Iterable[FieldEdit]) -> bool:
    changed = False
    for edit in edits:
        changed |= _apply_edit(portal, record, edit)
    return changed


def _apply_edit(portal: Portal, record: Record, edit: FieldEdit) -> bool:
    known = next((entry for entry in record.multifields if entry.id == edit.id), None)
    if known is None:
        if not edit.value:
            return False
        number = portal.new_multifield_id()
        record.multifields.append(MultiField(number, edit.type_id, edit.value_type or "WORK", edit.value))
        return True
    if not edit.value:
        record.multifields.remove(known)
        return True
    before = (known.value, known.value_type)
    known.value, known.value_type = edit.value, edit.value_type or known.value_type
    return before != (known.value, known.value_type)


def _settle(context: Context, record: Record) -> None:
    """Fills in what the portal works out itself."""
    values, fields = record.values, record.entity.fields
    if "hasPhone" in fields:
        values["hasPhone"] = "Y" if record.first("PHONE") else "N"
        values["hasEmail"] = "Y" if record.first("EMAIL") else "N"
    if "isReturnCustomer" in fields:
        values["isReturnCustomer"] = "Y" if values["contactId"] or values["companyId"] else "N"
    if "stageSemanticId" in fields:
        _settle_stage(context, record)


def _settle_stage(context: Context, record: Record) -> None:
    group = semantics(context.portal, record)
    record.values["stageSemanticId"] = group
    if record.entity is LEAD:
        closed_at = record.values["dateClosed"] or context.now
        record.values["dateClosed"] = None if group == "P" else closed_at
    else:
        record.values["closed"] = "N" if group == "P" else "Y"


def _number(value: object) -> float | int | None:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    try:
        return float(value) if isinstance(value, str) else None
    except ValueError:
        return None
