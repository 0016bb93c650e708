"""Reads a request by the types of its endpoint, or says which fields are wrong; values are never repeated."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec
from litestar import Request
from litestar.datastructures import State
from litestar.exceptions import HTTPException

from leadgate.errors import ConfigurationError, FieldProblem, NotFoundError
from leadgate.model.staff import ApiToken

ApiRequest = Request[ApiToken, None, State]

BODY_LIMIT_BYTES = 64 * 1024
MAX_KEY_LENGTH = 255
_NAME = re.compile(r"[A-Za-z0-9_]{1,64}(\.[a-z0-9_]{1,64})?", re.ASCII)
_PLACE = re.compile(r" - at `\$\.?([^`]*)`$")
_UNKNOWN = re.compile(r"unknown field `([^`]*)`")
_MISSING = re.compile(r"missing required field `([^`]*)`")
_VALUES = re.compile(r"'[^']*'")


class InvalidRequestError(ConfigurationError):
    """Query or body break the schema; names every field that was found wrong."""

    code = "api.request_invalid"

    def __init__(self, *problems: FieldProblem) -> None:
        """Remember the problems; the message joins the field names only."""
        super().__init__("The request breaks the schema: " + ", ".join(sorted({p.field for p in problems})) + ".")
        self.problems = problems


def read_query(kind: type, request: ApiRequest) -> object:
    """The query as the endpoint wants it.

    Raises:
        InvalidRequestError: something is unknown, given twice or wrong.
    """
    given: Mapping[str, list[str]] = request.query_params.dict()
    twice = [FieldProblem(name[:64], "given more than once") for name, values in given.items() if len(values) > 1]
    if twice:
        raise InvalidRequestError(*twice)
    try:
        return msgspec.convert({name: values[0] for name, values in given.items()}, kind, strict=False)
    except msgspec.ValidationError as error:
        raise _invalid(error) from None


async def read_body(kind: type, request: ApiRequest) -> object:
    """The body as the endpoint wants it; an empty one is an empty object.

    Raises:
        HTTPException: it is no JSON (400, 415) or too large (413).
        InvalidRequestError: something is unknown, missing or wrong.
    """
    is_json = request.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"
    body = await request.body()
    if body and not is_json:
        raise HTTPException("Send application/json.", status_code=415, extra={"code": "api.not_json"})
    try:
        return msgspec.json.decode(body or b"{}", type=kind)
    except msgspec.ValidationError as error:
        raise _invalid(error) from None
    except (msgspec.DecodeError, RecursionError):
        raise HTTPException(
            "The body cannot be read as JSON.", status_code=400, extra={"code": "api.body_unreadable"}
        ) from None


def read_names(request: ApiRequest) -> Mapping[str, str]:
    """The parts of the path.

    Raises:
        NotFoundError: one cannot be an id of ours.
    """
    names = {name: str(value) for name, value in request.path_params.items()}
    if not all(_NAME.fullmatch(value) for value in names.values()):
        raise NotFoundError("There is nothing of this id.")
    return names


def read_key(request: ApiRequest) -> str | None:
    """The idempotency key, or None when there is none.

    Raises:
        ConfigurationError: it is empty, too long or no printable ASCII.
    """
    key = request.headers.get("idempotency-key")
    if key is not None and not (0 < len(key) <= MAX_KEY_LENGTH and key.isascii() and key.isprintable()):
        raise ConfigurationError(
            f"An Idempotency-Key has 1 to {MAX_KEY_LENGTH} printable ASCII characters.", code="api.key_wrong"
        )
    return key


def _invalid(error: msgspec.ValidationError) -> InvalidRequestError:
    text = str(error)
    place = _PLACE.search(text)
    field = place[1] if place else ""
    for pattern in (_UNKNOWN, _MISSING):
        found = pattern.search(text)
        if found:
            field = f"{field}.{found[1]}".lstrip(".")
    return InvalidRequestError(FieldProblem(field[:64] or "body", _VALUES.sub("…", _PLACE.sub("", text))[:200]))
