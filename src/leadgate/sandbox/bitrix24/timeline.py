"""The timeline of a record: `crm.timeline.comment.*` and `crm.activity.todo.add`.

Nothing is checked for repeats: the same comment twice makes two. Sources: the pages `crm/timeline/comments/*`
and `crm/timeline/activities/todo/crm-activity-todo-add` of the official documentation.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from leadgate.sandbox.bitrix24.arguments import (
    find,
    find_integer,
    mapping,
    missing,
    required_integer,
    text,
    texts,
)
from leadgate.sandbox.bitrix24.call import Call, Handler
from leadgate.sandbox.bitrix24.envelope import Reply, bad_argument, portal_time
from leadgate.sandbox.bitrix24.fields import ENTITIES
from leadgate.sandbox.bitrix24.paging import page
from leadgate.sandbox.bitrix24.portal import Comment, Portal, Record

_BY_WORD = {entity.word: entity for entity in ENTITIES.values()}
_ORDER_KEYS = {
    "ID": lambda comment: comment.id,
    "CREATED": lambda comment: (comment.created, comment.id),
    "AUTHOR_ID": lambda comment: comment.author_id,
}


def add_comment(call: Call) -> Reply:
    """The id of the new comment. The key must be written exactly `fields`."""
    given = mapping(call.params.get("fields"))
    if not given:
        raise missing("fields")
    owner = _owner(call.portal, text(find(given, "ENTITY_TYPE")), find(given, "ENTITY_ID"))
    words = text(find(given, "COMMENT"))
    if not words.strip():
        raise bad_argument("INVALID_ARG_VALUE", "Empty comment message")
    comment = _comment(call, owner, words)
    call.portal.keep_comment(comment)
    return Reply(comment.id)


def get_comment(call: Call) -> Reply:
    """The comment with all its fields."""
    return Reply(_shape(call.portal, _find(call)))


def list_comments(call: Call) -> Reply:
    """Fifty comments of one record; the filter must name both the type and the id of the record."""
    wish = mapping(find(call.params, "filter"))
    owner_type, owner_id = text(find(wish, "ENTITY_TYPE")).lower(), find_integer(find(wish, "ENTITY_ID"))
    if not owner_type or owner_id is None:
        raise bad_argument("INVALID_ARG_VALUE", "Filter by ENTITY_ID and ENTITY_TYPE is required")
    rows = [entry for entry in call.portal.timeline(owner_type, owner_id) if entry.kind == "comment"]
    for name, direction in reversed(mapping(find(call.params, "order")).items()):
        if name.upper() in _ORDER_KEYS:
            rows.sort(key=_ORDER_KEYS[name.upper()], reverse=text(direction).upper() == "DESC")
    wanted = texts(find(call.params, "select"))
    return page(rows, call.params, lambda comment: _select(_shape(call.portal, comment), wanted))


def delete_comment(call: Call) -> Reply:
    """True."""
    call.portal.forget_comment(_find(call).id)
    return Reply(result=True)


def add_todo(call: Call) -> Reply:
    """The id of the new to-do, as `{"id": …}`. A deadline is required."""
    type_id = required_integer(call.params, "ownerTypeId")
    number = required_integer(call.params, "ownerId")
    if not text(find(call.params, "deadline")):
        raise missing("deadline")
    try:
        datetime.fromisoformat(text(find(call.params, "deadline")))
    except ValueError as error:
        raise bad_argument("WRONG_DATETIME_FORMAT", "Wrong datetime format") from error
    entity = ENTITIES.get(type_id)
    owner = call.portal.store(entity).find(number) if entity else None
    if owner is None:
        raise bad_argument("OWNER_NOT_FOUND", "Owner was not found")
    title, description = (text(find(call.params, name)) for name in ("title", "description"))
    todo = _comment(call, owner, "\n".join(part for part in (title, description) if part), kind="todo")
    call.portal.keep_comment(todo)
    return Reply({"id": todo.id})


METHODS: Mapping[str, Handler] = {
    "crm.timeline.comment.add": add_comment,
    "crm.timeline.comment.get": get_comment,
    "crm.timeline.comment.list": list_comments,
    "crm.timeline.comment.delete": delete_comment,
    "crm.activity.todo.add": add_todo,
}


def _owner(portal: Portal, word: str, number: object) -> Record:
    entity = _BY_WORD.get(word.lower())
    owner_id = find_integer(number)
    owner = portal.store(entity).find(owner_id) if entity and owner_id is not None else None
    if owner is None:
        raise bad_argument("OWNER_NOT_FOUND", "Owner was not found")
    return owner


def _comment(call: Call, owner: Record, words: str, *, kind: str = "comment") -> Comment:
    return Comment(
        id=call.portal.new_entry_id(),
        owner_type=owner.entity.word,
        owner_id=owner.id,
        text=words,
        author_id=call.context.caller.user_id,
        created=call.context.now,
        kind=kind,
    )


def _find(call: Call) -> Comment:
    comment = call.portal.comments.get(required_integer(call.params, "id"))
    if comment is None or comment.kind != "comment":
        raise bad_argument("NOT_FOUND", "Comment was not found")
    return comment


def _shape(portal: Portal, comment: Comment) -> dict[str, object]:
    return {
        "ID": str(comment.id),
        "ENTITY_ID": str(comment.owner_id),
        "ENTITY_TYPE": comment.owner_type,
        "CREATED": portal_time(comment.created, portal.zone),
        "COMMENT": comment.text,
        "AUTHOR_ID": str(comment.author_id),
    }


def _select(row: dict[str, object], wanted: list[str]) -> dict[str, object]:
    return {name: value for name, value in row.items() if name in wanted} if wanted else row
