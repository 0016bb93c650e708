"""`crm.item.*` for leads, deals and contacts: camelCase names, whole numbers as numbers, refusals by code.

Sources: the pages `crm/universal/crm-item-*` and `object-fields`, and the tutorial on changing phones and
addresses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from leadgate.sandbox.bitrix24.arguments import (
    entries,
    find,
    mapping,
    required_array,
    required_integer,
    text,
    texts,
)
from leadgate.sandbox.bitrix24.call import Call, Handler
from leadgate.sandbox.bitrix24.conversion import convert_new_lead
from leadgate.sandbox.bitrix24.envelope import Reply, bad_argument, portal_time
from leadgate.sandbox.bitrix24.fields import ENTITIES, INTEGER_KINDS, Access, Entity, Field
from leadgate.sandbox.bitrix24.filters import conditions, matches
from leadgate.sandbox.bitrix24.paging import page
from leadgate.sandbox.bitrix24.portal import Portal, Record
from leadgate.sandbox.bitrix24.records import FieldEdit, change, create, read_value


def add(call: Call) -> Reply:
    """`crm.item.add`: the whole new item. Unknown and read-only fields are passed over in silence."""
    entity = _entity(call)
    fields = required_array(call.params, "fields")
    values = _values(entity, fields, adding=True)
    _check_directories(call.portal, entity, values)
    record = create(call.context, entity, values, edits=_edits(entity, fields))
    convert_new_lead(call.context, record)
    return _one(call.portal, record)


def get(call: Call) -> Reply:
    """`crm.item.get`: the whole item."""
    return _one(call.portal, _record(call))


def update(call: Call) -> Reply:
    """`crm.item.update`: the item after the change; `updatedTime` stays when nothing was different."""
    record = _record(call)
    fields = required_array(call.params, "fields")
    if "id" in fields:
        raise bad_argument("0", "Setting value for Primary ID is not allowed, it is read-only field")
    values = _values(record.entity, fields, adding=False)
    _check_directories(call.portal, record.entity, values)
    change(call.context, record, values, edits=_edits(record.entity, fields))
    return _one(call.portal, record)


def delete(call: Call) -> Reply:
    """`crm.item.delete`: an empty array."""
    record = _record(call)
    call.portal.store(record.entity).forget(record.id)
    call.portal.forget_timeline(record.entity.word, record.id)
    return Reply([])


def list_items(call: Call) -> Reply:
    """`crm.item.list`: fifty items a page; a field that may not be filtered or ordered by is refused."""
    entity = _entity(call)
    tree = find(call.params, "filter")
    wanted = texts(find(call.params, "select"))
    _check_filter(entity, tree)
    rows = _filtered(call.portal, entity, tree)
    _order(rows, entity, mapping(find(call.params, "order")))
    return page(
        rows,
        call.params,
        lambda record: _select(_shape(call.portal, record), wanted),
        frame=lambda shown: {"items": shown},
    )


def fields(call: Call) -> Reply:
    """`crm.item.fields`: every field with its type and flags."""
    entity = _entity(call)
    table = {name: _describe(field) for name, field in entity.fields.items()}
    if entity.has_multifields:
        table["fm"] = {**_flags("crm_multifield"), "isMultiple": True, "title": "fm", "upperName": "FM"}
    return Reply({"fields": table})


METHODS: Mapping[str, Handler] = {
    "crm.item.add": add,
    "crm.item.get": get,
    "crm.item.update": update,
    "crm.item.delete": delete,
    "crm.item.list": list_items,
    "crm.item.fields": fields,
}


def _entity(call: Call) -> Entity:
    entity = ENTITIES.get(required_integer(call.params, "entityTypeId"))
    if entity is None:
        raise bad_argument("NOT_FOUND", "Смарт-процесс не найден")
    return entity


def _record(call: Call) -> Record:
    entity = _entity(call)
    record = call.portal.store(entity).find(required_integer(call.params, "id"))
    if record is None:
        raise bad_argument("NOT_FOUND", "Элемент не найден")
    return record


def _values(entity: Entity, given: Mapping[str, object], *, adding: bool) -> dict[str, object]:
    values: dict[str, object] = {}
    for name, value in given.items():
        if name in {"contacts", "companies"}:
            raise bad_argument("100", f"Field '{name}' can not be set, use the field with ids")
        field = entity.fields.get(name)
        if field is None or field.access is Access.READ or (field.access is Access.ON_ADD and not adding):
            continue
        if field.is_list:
            _require_iterable(value)
        values[name] = read_value(field, value)
    return values


def _edits(entity: Entity, given: Mapping[str, object]) -> list[FieldEdit]:
    """Wishes for multi-fields. In an object the key decides: an entry's id changes it, any other key adds.

    A list only ever adds; an `id` inside an entry is passed over. An entry without `typeId` does nothing.
    """
    if "fm" not in given or not entity.has_multifields:
        return []
    _require_iterable(given["fm"])
    by_key = isinstance(given["fm"], Mapping)
    return [
        FieldEdit(
            id=int(key) if by_key and key.isdecimal() else None,
            type_id=text(entry["typeId"]).upper(),
            value_type=text(entry.get("valueType")),
            value=text(entry.get("value")).strip(),
        )
        for key, entry in ((key, mapping(item)) for key, item in entries(given["fm"]))
        if text(entry.get("typeId"))
    ]


def _require_iterable(value: object) -> None:
    if not isinstance(value, (list, Mapping)) and value not in {None, ""}:
        got = {str: "string", int: "integer", bool: "boolean"}.get(type(value), "double")
        raise bad_argument("100", f"Expected iterable value for multiple field, but got {got} instead")


def _check_directories(portal: Portal, entity: Entity, values: Mapping[str, object]) -> None:
    stage = values.get("stageId")
    if stage is not None and portal.status(entity.stage_directory, stage) is None:
        raise bad_argument("CRM_FIELD_ERROR_VALUE_NOT_VALID", 'Неверное значение поля "Стадия"')
    source = values.get("sourceId")
    if portal.strict_sources and source is not None and portal.status("SOURCE", source) is None:
        raise bad_argument("CRM_FIELD_ERROR_VALUE_NOT_VALID", 'Неверное значение поля "Источник"')


def _check_filter(entity: Entity, tree: object) -> None:
    for condition in conditions(tree):
        if condition.field == "fm":
            raise bad_argument("100", "Field 'fm' can not be used in filter")
        if condition.field not in entity.fields:
            text_of_it = f"Invalid filter: field '{condition.field}' is not allowed in filter"
            raise bad_argument("INVALID_ARG_VALUE", text_of_it)


def _filtered(portal: Portal, entity: Entity, tree: object) -> list[Record]:
    try:
        return [
            record
            for record in _candidates(portal, entity, tree)
            if matches(tree, lambda name, row=record: _read(row, name), zone=portal.zone)  # type: ignore[misc] # the default binds the row of this turn
        ]
    except ValueError as error:
        raise bad_argument("INVALID_ARG_VALUE", f"Invalid filter: field '{error}' has invalid value") from error


def _candidates(portal: Portal, entity: Entity, tree: object) -> Sequence[Record]:
    """All records, or the few with the origin id of the filter: a look-up must not read everything."""
    store = portal.store(entity)
    top = mapping(tree)
    origin = top.get("originId") or top.get("=originId")
    if isinstance(origin, str) and text(find(top, "logic")).upper() != "OR":
        return store.with_origin(origin)
    return list(store)


def _read(record: Record, name: str) -> tuple[str, object] | None:
    field = record.entity.fields.get(name)
    return (field.kind, record.values.get(name)) if field else None


def _order(rows: list[Record], entity: Entity, order: Mapping[str, object]) -> None:
    for name, direction in reversed(list((order or {"id": "ASC"}).items())):
        if name not in entity.fields or entity.fields[name].is_list:
            raise bad_argument("INVALID_ARG_VALUE", f"Invalid order: field '{name}' is not allowed in order")
        wish = text(direction).upper()
        if wish not in {"ASC", "DESC"}:
            got = f"But got '{text(direction)}' for field '{name}'"
            raise bad_argument("INVALID_ARG_VALUE", f"Invalid order: allowed sort directions are `ASC, DESC`. {got}")
        rows.sort(key=lambda record, key=name: sort_key(record.values.get(key)), reverse=wish == "DESC")  # type: ignore[misc] # the default binds the name of this turn


def sort_key(value: object) -> tuple[int, float, str]:
    """A key under which values of one field stand in the portal's order, empty ones first."""
    if value is None or value == "":
        return (0, 0.0, "")
    if isinstance(value, datetime):
        return (1, value.timestamp(), "")
    if isinstance(value, (int, float)):
        return (1, float(value), "")
    return (1, 0.0, text(value).casefold())


def _one(portal: Portal, record: Record) -> Reply:
    return Reply({"item": _shape(portal, record)})


def _shape(portal: Portal, record: Record) -> dict[str, object]:
    item = {name: _show(portal, field, record.values.get(name)) for name, field in record.entity.fields.items()}
    if record.entity.has_multifields:
        item["fm"] = [
            {"id": entry.id, "valueType": entry.value_type, "value": entry.value, "typeId": entry.type_id}
            for entry in record.multifields
        ]
    return {**item, "entityTypeId": record.entity.type_id}


def _show(portal: Portal, field: Field, value: object) -> object:
    if isinstance(value, datetime):
        return portal_time(value, portal.zone)
    if field.kind in INTEGER_KINDS and value is None:
        return 0 if field.name in {"companyId", "contactId", "leadId"} else None
    return value


def _select(item: dict[str, object], wanted: Sequence[str]) -> dict[str, object]:
    if not wanted or "*" in wanted:
        return item
    return {name: value for name, value in item.items() if name in wanted and name not in {"fm", "entityTypeId"}}


def _flags(kind: str) -> dict[str, object]:
    return {
        "type": kind,
        "isRequired": False,
        "isReadOnly": False,
        "isImmutable": False,
        "isMultiple": False,
        "isDynamic": False,
    }


def _describe(field: Field) -> dict[str, object]:
    return {
        **_flags(field.kind),
        "isReadOnly": field.access is Access.READ,
        "isImmutable": field.access is Access.ON_ADD,
        "isMultiple": field.is_list,
        "title": field.name,
        "upperName": field.upper,
    }
