"""Errors as people and programs read them: a page in the look, or `application/problem+json` (RFC 9457).

The message of an error of ours is safe to show; of any other only its type and place are logged.
"""

from __future__ import annotations

import traceback
from http import HTTPStatus
from typing import Any

import structlog
from litestar import Response
from litestar.exceptions import HTTPException, NotAuthorizedException
from litestar.response import Redirect
from litestar.types import ExceptionHandlersMap

from leadgate.errors import (
    AccessDeniedError,
    BodyTooLargeError,
    ConfigurationError,
    ConflictError,
    LeadgateError,
    LeaseLostError,
    NotFoundError,
    OverloadedError,
    ServiceUnavailableError,
    WebhookRejectedError,
)
from leadgate.web.access import PROVE, PageRequest
from leadgate.web.sheet import address, show

_log = structlog.get_logger()

_Answer = Response[Any]

_STATUS: tuple[tuple[type[LeadgateError], int], ...] = (
    (NotFoundError, 404),
    (ConflictError, 409),
    (LeaseLostError, 409),
    (AccessDeniedError, 403),
    (BodyTooLargeError, 413),
    (ConfigurationError, 422),
    (OverloadedError, 503),
    (ServiceUnavailableError, 503),
)
_CODES = {
    401: "access.sign_in",
    403: "access.denied",
    404: "resource.not_found",
    405: "web.method",
    413: "web.too_large",
}
_PAGES = frozenset({403, 404, 409, 413, 500, 503})
"""Statuses that have words of their own (`problem.{status}`)."""


def problem_handlers() -> ExceptionHandlersMap:
    """The handlers for the whole application."""
    return {HTTPException: _answer_http, LeadgateError: _answer_ours, Exception: _answer_crash}


def wants_json(request: PageRequest) -> bool:
    """True for programs: the API's addresses, and whoever asks for JSON but not for a page."""
    accept = request.headers.get("accept", "")
    return request.url.path.startswith(("/api/", "/webhooks/")) or ("json" in accept and "text/html" not in accept)


def status_of(error: LeadgateError) -> int:
    """The HTTP status that tells of an error of ours; 500 where the sender can do nothing about it."""
    if isinstance(error, WebhookRejectedError):
        return error.status
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def is_final(error: LeadgateError) -> bool:
    """True when the same request would be refused again, so that a kept answer does no harm."""
    return status_of(error) < HTTPStatus.INTERNAL_SERVER_ERROR and not isinstance(error, LeaseLostError)


def problem_document(error: LeadgateError) -> dict[str, object]:
    """An error of ours as a problem document; one about fields names them in `problems`."""
    fields = getattr(error, "problems", ())
    return {
        **_problem(status_of(error), code=error.code, detail=str(error)),
        **({"problems": [{"field": one.field, "problem": one.problem} for one in fields]} if fields else {}),
    }


def problem_json(
    status: int, *, code: str, detail: str, headers: dict[str, str] | None = None
) -> Response[dict[str, object]]:
    """A problem document with a stable code."""
    return _problem_response(_problem(status, code=code, detail=detail), headers)


def _problem(status: int, *, code: str, detail: str) -> dict[str, object]:
    title = HTTPStatus(status).phrase
    return {"type": "about:blank", "title": title, "status": status, "code": code, "detail": detail}


def _problem_response(body: dict[str, object], headers: dict[str, str] | None) -> Response[dict[str, object]]:
    status = int(str(body["status"]))
    return Response(body, status_code=status, media_type="application/problem+json", headers=headers)


def _answer_http(request: PageRequest, error: HTTPException) -> _Answer:
    status = error.status_code
    if isinstance(error, NotAuthorizedException) and _asks_for_proof(error) and not wants_json(request):
        again = None if request.method == "GET" else "1"
        return Redirect(address("/prove", next=_page_to_go_on(error), again=again), status_code=303)
    if isinstance(error, NotAuthorizedException) and not wants_json(request):
        wish = request.url.path if request.method == "GET" and request.url.path != "/" else None
        return Redirect(address("/login", next=wish), status_code=303)
    given = error.extra.get("code") if isinstance(error.extra, dict) else None
    code = str(given or _CODES.get(status, f"web.http_{status}"))
    return _answer(request, status, code=code, detail=error.detail, headers=error.headers)


def _asks_for_proof(error: NotAuthorizedException) -> bool:
    return isinstance(error.extra, dict) and error.extra.get("code") == PROVE


def _page_to_go_on(error: NotAuthorizedException) -> str:
    return str(error.extra.get("next", "/")) if isinstance(error.extra, dict) else "/"


def _answer_ours(request: PageRequest, error: LeadgateError) -> _Answer:
    status = status_of(error)
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        _log.error("page.failed", outcome="failed", error_code=error.code)
    retry_after_s = getattr(error, "retry_after_s", None)
    headers = None if retry_after_s is None else {"retry-after": str(retry_after_s)}
    if wants_json(request):
        return _problem_response(problem_document(error), headers)
    return _answer(request, status, code=error.code, detail=str(error), headers=headers)


def _answer_crash(request: PageRequest, error: Exception) -> _Answer:
    # The text of a foreign error may hold anything, a client's words too: only its type and place are written down.
    frames = traceback.extract_tb(error.__traceback__)
    places = [f"{frames[-1].name}:{frames[-1].lineno}"] if frames else None
    _log.error("page.failed", outcome="failed", error_type=type(error).__name__, frames=places)
    return _answer(request, 500, code="web.failed", detail="Something failed on our side; it is written down.")


def _answer(
    request: PageRequest, status: int, *, code: str, detail: str, headers: dict[str, str] | None = None
) -> _Answer:
    if wants_json(request):
        return problem_json(status, code=code, detail=detail, headers=headers)
    words = status if status in _PAGES else 500 if status >= HTTPStatus.INTERNAL_SERVER_ERROR else 404
    # Without the address that was asked for: whatever stands in one, an error page does not say it again.
    response = show(request, "problem.html", status=status, number=words, code=code, here="/")
    response.headers.update(headers or {})
    return response
