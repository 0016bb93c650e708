"""The frozen methods `crm.lead.*`, `crm.deal.*`, `crm.contact.*`: UPPER_CASE names, every value a string.

Their traps are kept: an unknown field or filter key is passed over in silence, and a PHONE given as a string
makes a record without a phone. Sources: the pages `crm/leads/crm-lead-*` of the official documentation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial

from leadgate.sandbox.bitrix24.arguments import entries, find, find_integer, mapping, text, texts
from leadgate.sandbox.bitrix24.call import Call, Handler
from leadgate.sandbox.bitrix24.conversion import convert_new_lead
from leadgate.sandbox.bitrix24.envelope import Reply, bad_legacy, portal_time
from leadgate.sandbox.bitrix24.fields import ENTITIES, MULTIFIELD_TYPES, Access, Entity, Field
from leadgate.sandbox.bitrix24.filters import matches, split_key
from leadgate.sandbox.bitrix24.items import sort_key
from leadgate.sandbox.bitrix24.paging import page
from leadgate.sandbox.bitrix24.portal import Portal, Record
from leadgate.sandbox.bitrix24.records import FieldEdit, change, create, read_value

_Operation = Callable[[Entity, Call], Reply]


def add(entity: Entity, call: Call) -> Reply:
    """The id of the new record, as a number."""
    given = _fields(call)
    record = create(call.context, entity, _values(entity, given, adding=True), edits=_edits(entity, given))
    convert_new_lead(call.context, record)
    return Reply(record.id)


def get(entity: Entity, call: Call) -> Reply:
    """The whole record with its phones and addresses."""
    record = _record(entity, call)
    return Reply({**_shape(call.portal, record), **_multifields(record, MULTIFIELD_TYPES)})


def update(entity: Entity, call: Call) -> Reply:
    """True, also when nothing was different."""
    record = _record(entity, call)
    given = _fields(call)
    change(call.context, record, _values(entity, given, adding=False), edits=_edits(entity, given))
    return Reply(result=True)


def delete(entity: Entity, call: Call) -> Reply:
    """True."""
    call.portal.store(entity).forget(_record(entity, call).id)
    return Reply(result=True)


def list_records(entity: Entity, call: Call) -> Reply:
    """Fifty rows a page; phones and addresses only when they are named in `select`."""
    tree = _known_conditions(entity, find(call.params, "filter"))
    wanted = [name.upper() for name in texts(find(call.params, "select"))]
    rows = _filtered(call.portal, entity, tree)
    _order(rows, entity, mapping(find(call.params, "order")))
    return page(rows, call.params, lambda record: _select(call.portal, record, wanted))


def fields(entity: Entity, _: Call) -> Reply:
    """Every field with its type and flags."""
    table: dict[str, object] = {field.upper: _describe(field) for field in entity.fields.values()}
    if entity.has_multifields:
        multifield = {
            "type": "crm_multifield",
            "isRequired": False,
            "isReadOnly": False,
            "isImmutable": False,
        }
        table |= {
            name: {**multifield, "isMultiple": True, "isDynamic": False, "title": name} for name in MULTIFIELD_TYPES
        }
    return Reply(table)


_OPERATIONS: Mapping[str, _Operation] = {
    "add": add,
    "get": get,
    "update": update,
    "delete": delete,
    "list": list_records,
    "fields": fields,
}

METHODS: Mapping[str, Handler] = {
    f"crm.{entity.word}.{name}": partial(operation, entity)
    for entity in ENTITIES.values()
    for name, operation in _OPERATIONS.items()
}


def _fields(call: Call) -> dict[str, object]:
    given = find(call.params, "fields")
    if not isinstance(given, (dict, list)):
        raise bad_legacy("Parameter 'fields' must be array.")
    return mapping(given)


def _record(entity: Entity, call: Call) -> Record:
    number = find_integer(find(call.params, "id"))
    if number is None or number <= 0:
        raise bad_legacy("ID is not defined or invalid.")
    record = call.portal.store(entity).find(number)
    if record is None:
        raise bad_legacy("Not found")
    return record


def _values(entity: Entity, given: Mapping[str, object], *, adding: bool) -> dict[str, object]:
    """Values by their new names; codes of stages that the portal does not know are dropped, not refused."""
    values: dict[str, object] = {}
    for name, value in given.items():
        field = entity.by_upper.get(name.upper())
        if field is None or field.access is Access.READ or (field.access is Access.ON_ADD and not adding):
            continue
        values[field.name] = read_value(field, value)
    return values


def _edits(entity: Entity, given: Mapping[str, object]) -> list[FieldEdit]:
    if not entity.has_multifields:
        return []
    return [
        FieldEdit(
            id=find_integer(find(entry, "ID")) or (int(key) if by_key and key.isdecimal() else None),
            type_id=type_id,
            value_type=text(find(entry, "VALUE_TYPE")).upper(),
            value=text(find(entry, "VALUE")).strip(),
        )
        for type_id in MULTIFIELD_TYPES
        for by_key, key, entry in _entries(find(given, type_id))
    ]


def _entries(value: object) -> list[tuple[bool, str, dict[str, object]]]:
    """Rows of one multi-field; a bare string has none or an empty one, which is how a phone gets lost."""
    by_key = isinstance(value, Mapping)
    return [(by_key, key, mapping(item)) for key, item in entries(value)]


def _known_conditions(entity: Entity, tree: object) -> dict[str, object]:
    known = {*entity.by_upper, *(MULTIFIELD_TYPES if entity.has_multifields else ())}
    return {key: value for key, value in entries(tree) if split_key(key)[1].upper() in known}


def _filtered(portal: Portal, entity: Entity, tree: Mapping[str, object]) -> list[Record]:
    store = portal.store(entity)
    origin = tree.get("ORIGIN_ID") or tree.get("=ORIGIN_ID")
    candidates = store.with_origin(origin) if isinstance(origin, str) else list(store)
    try:
        return [
            record
            for record in candidates
            if matches(tree, lambda name, row=record: _read(row, name), zone=portal.zone)  # type: ignore[misc] # the default binds the row of this turn
        ]
    except ValueError:  # a value that cannot be compared finds nothing here; the newer methods refuse it
        return []


def _read(record: Record, name: str) -> tuple[str, object] | None:
    upper = name.upper()
    if upper in MULTIFIELD_TYPES:
        return "string", [entry.value for entry in record.multifields if entry.type_id == upper]
    field = record.entity.by_upper.get(upper)
    return (field.kind, record.values.get(field.name)) if field else None


def _order(rows: list[Record], entity: Entity, order: Mapping[str, object]) -> None:
    known = {name: way for name, way in order.items() if name.upper() in entity.by_upper}
    for name, direction in reversed(list((known or {"ID": "ASC"}).items())):
        field = entity.by_upper[name.upper()]
        descending = text(direction).upper() == "DESC"
        rows.sort(key=lambda record, key=field.name: sort_key(record.values.get(key)), reverse=descending)  # type: ignore[misc] # the default binds the name of this turn


def _select(portal: Portal, record: Record, wanted: Sequence[str]) -> dict[str, object]:
    row = _shape(portal, record)
    if wanted and "*" not in wanted:
        row = {name: value for name, value in row.items() if name in wanted or name == "ID"}
    return {**row, **_multifields(record, [name for name in MULTIFIELD_TYPES if name in wanted])}


def _shape(portal: Portal, record: Record) -> dict[str, object]:
    fields_shown = (field for field in record.entity.fields.values() if not field.is_list)
    return {field.upper: _show(portal, field, record.values.get(field.name)) for field in fields_shown}


def _show(portal: Portal, field: Field, value: object) -> object:
    if isinstance(value, datetime):
        return portal_time(value, portal.zone)
    if field.kind == "double":
        return f"{value if isinstance(value, (int, float)) else 0:.2f}"
    if value is None:
        return "" if field.kind in {"date", "datetime"} else None
    return str(value)


def _multifields(record: Record, types: Sequence[str]) -> dict[str, object]:
    shown: dict[str, object] = {}
    for type_id in types:
        rows = [
            {"ID": str(entry.id), "VALUE_TYPE": entry.value_type, "VALUE": entry.value, "TYPE_ID": type_id}
            for entry in record.multifields
            if entry.type_id == type_id
        ]
        if rows:
            shown[type_id] = rows
    return shown


def _describe(field: Field) -> dict[str, object]:
    return {
        "type": field.kind,
        "isRequired": False,
        "isReadOnly": field.access is Access.READ,
        "isImmutable": field.access is Access.ON_ADD,
        "isMultiple": field.is_list,
        "isDynamic": False,
        "title": field.upper,
    }
