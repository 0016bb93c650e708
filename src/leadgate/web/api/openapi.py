"""The OpenAPI 3.1 document, made from the endpoints and their types."""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from leadgate import __version__
from leadgate.model.staff import Role
from leadgate.web.access import may
from leadgate.web.api.endpoint import Endpoint, Nothing
from leadgate.web.api.reading import MAX_KEY_LENGTH

_REF = "#/components/schemas/{name}"
_NAMES = re.compile(r"{(\w+)}")
_THERE_AT_TIMES = frozenset({"/incident"})
"""Things without an id that are not always there."""

_PROBLEM = {"$ref": "#/components/responses/Problem"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldProblemDocument:
    """One wrong field of query or body, and what is wrong with it."""

    field: str
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemDocument:
    """An error (RFC 9457). `code` is stable; every code stands in the reference."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    problems: Sequence[FieldProblemDocument] = ()


def make_openapi(endpoints: Sequence[Endpoint], *, base: str) -> dict[str, Any]:
    """The document.

    Args:
        base: our address as the world sees it, or "" for wherever the document was fetched.
    """
    kinds = [kind for one in endpoints for kind in (one.answer, one.query, one.body) if kind is not Nothing]
    kinds.append(ProblemDocument)
    references, schemas = msgspec.json.schema_components(kinds, ref_template=_REF)
    by_kind = dict(zip(map(repr, kinds), references, strict=True))
    paths: dict[str, Any] = {}
    for one in endpoints:
        paths.setdefault(one.path, {})[one.method.lower()] = _operation(one, by_kind, schemas)
    queries = {_name_of(by_kind[repr(one.query)]) for one in endpoints if one.query is not Nothing}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Leadgate",
            "version": __version__,
            "description": "What the pages and commands of Leadgate do, for programs.",
        },
        "servers": [{"url": f"{base}/api/v1"}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "Made by `leadgate tokens create`."}
            },
            "responses": {"Problem": _problem_response(by_kind[repr(ProblemDocument)])},
            "schemas": {name: _tidy(schema) for name, schema in schemas.items() if name not in queries},
        },
    }


def _operation(one: Endpoint, by_kind: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    summary, _, rest = inspect.cleandoc(one.work.__doc__ or "").partition("\n")
    operation: dict[str, Any] = {
        "operationId": one.operation,
        "summary": summary,
        "tags": [one.path.split("/")[1]],
        "x-roles": [role.value for role in Role if one.act is None or may(role, one.act)],
        "parameters": [*_path_parameters(one), *_query_parameters(one, by_kind, schemas), *_header_parameters(one)],
        "responses": _responses(one, by_kind),
    }
    if rest.strip():
        operation["description"] = rest.strip()
    if one.body is not Nothing:
        schema = by_kind[repr(one.body)]
        required = bool(schemas[_name_of(schema)].get("required"))
        operation["requestBody"] = {"required": required, "content": {"application/json": {"schema": schema}}}
    return operation


def _responses(one: Endpoint, by_kind: dict[str, Any]) -> dict[str, Any]:
    refusals = [401, 422, 429, 503]
    refusals += (
        [404] if _NAMES.search(one.path) or one.is_write or not one.is_kept or one.path in _THERE_AT_TIMES else []
    )
    refusals += [403] if one.act is not None else []
    refusals += [400, 409, 413, 415] if one.is_write else []
    refusals += [409] if one.act is not None and not one.is_write else []
    done = {"description": "Done.", "content": {"application/json": {"schema": by_kind[repr(one.answer)]}}}
    return {str(one.status): done, **{str(status): _PROBLEM for status in sorted(refusals)}}


def _path_parameters(one: Endpoint) -> list[dict[str, Any]]:
    schema = {"type": "string", "pattern": "^[A-Za-z0-9_]{1,64}$"}
    return [{"name": name, "in": "path", "required": True, "schema": schema} for name in _NAMES.findall(one.path)]


def _query_parameters(one: Endpoint, by_kind: dict[str, Any], schemas: dict[str, Any]) -> list[dict[str, Any]]:
    if one.query is Nothing:
        return []
    properties = schemas[_name_of(by_kind[repr(one.query)])]["properties"]
    return [
        {"name": name, "in": "query", "required": False, "schema": _without_null(schema)}
        for name, schema in properties.items()
    ]


def _header_parameters(one: Endpoint) -> list[dict[str, Any]]:
    if not one.is_write or not one.is_kept:
        return []
    return [
        {
            "name": "Idempotency-Key",
            "in": "header",
            "required": False,
            "description": "The same key with the same request within 24 hours has one effect and the same answer.",
            "schema": {"type": "string", "minLength": 1, "maxLength": MAX_KEY_LENGTH},
        }
    ]


def _problem_response(schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": "It was refused or failed.", "content": {"application/problem+json": {"schema": schema}}}


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A query has no null: what may be left out is left out."""
    choices = [choice for choice in schema.get("anyOf", ()) if choice != {"type": "null"}]
    return choices[0] if len(choices) == 1 else schema


def _tidy(schema: dict[str, Any]) -> dict[str, Any]:
    described = schema.get("description")
    return {**schema, "description": inspect.cleandoc(described)} if described else schema


def _name_of(reference: dict[str, Any]) -> str:
    return str(reference["$ref"]).rpartition("/")[2]
