"""`crm.duplicate.findbycomm`: who already has this phone or address.

The search takes a number as it is written: `+79000000001` does not find `8 900 000-00-01`. Only an extension
after `#` is left out. Source: the page `crm/duplicates/crm-duplicate-find-by-comm` and the threads under it.
"""

from __future__ import annotations

from collections.abc import Mapping

from leadgate.sandbox.bitrix24.arguments import find, text, texts
from leadgate.sandbox.bitrix24.call import Call, Handler
from leadgate.sandbox.bitrix24.envelope import Reply, bad_legacy
from leadgate.sandbox.bitrix24.fields import CONTACT, LEAD
from leadgate.sandbox.bitrix24.portal import as_written

MAX_VALUES = 20
HITS_THAT_HIDE_THE_REST = 20
_ORDER = ("LEAD", "CONTACT", "COMPANY")


def find_by_communication(call: Call) -> Reply:
    """Ids by type of record; `[]` when nobody has any of the values.

    Twenty hits or more of one type hide the types after it (leads, contacts, companies).
    """
    type_id = text(find(call.params, "type")).upper()
    if not type_id:
        raise bad_legacy("Communication type is not defined.")
    if type_id not in {"PHONE", "EMAIL"}:
        raise bad_legacy(f"Communication type '{type_id}' is not supported in current context.")
    values = texts(find(call.params, "values"))[:MAX_VALUES]
    if not values:
        raise bad_legacy("Communication values is not defined.")
    found = _search(call, type_id, {as_written(value) for value in values})
    return Reply(found or [])


METHODS: Mapping[str, Handler] = {"crm.duplicate.findbycomm": find_by_communication}


def _search(call: Call, type_id: str, values: set[str]) -> dict[str, object]:
    asked = text(find(call.params, "entity_type")).upper()
    found: dict[str, object] = {}
    for word in _ORDER:
        if asked and word != asked:
            continue
        hits = _hits(call, word, type_id=type_id, values=values)
        if hits:
            found[word] = hits
        if len(hits) >= HITS_THAT_HIDE_THE_REST:
            break
    return found


def _hits(call: Call, word: str, *, type_id: str, values: set[str]) -> list[int]:
    entity = {"LEAD": LEAD, "CONTACT": CONTACT}.get(word)
    if entity is None:  # the sandbox keeps no companies
        return []
    store = call.portal.store(entity)
    return sorted({record.id for value in values for record in store.with_value(type_id, value)})
