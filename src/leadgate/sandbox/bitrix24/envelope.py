"""What a portal's answer looks like: `result` or `error`, and the `time` beside it. No method lives here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo
from http import HTTPStatus


class RestError(Exception):
    """A refusal in the portal's words: an HTTP status, the `error` code (may be empty), its description."""

    def __init__(self, status: int, code: str, description: str) -> None:
        super().__init__(code or description)
        self.status = status
        self.code = code
        self.description = description

    def body(self) -> dict[str, object]:
        """The JSON object of the refusal, also used inside `result_error` of a batch."""
        return {"error": self.code, "error_description": self.description}


def bad_argument(code: str, description: str) -> RestError:
    """A refusal with status 400, as the newer methods give it."""
    return RestError(HTTPStatus.BAD_REQUEST, code, description)


def bad_legacy(description: str) -> RestError:
    """A refusal of the old CRM methods: status 400, an empty code, all in the description."""
    return RestError(HTTPStatus.BAD_REQUEST, "", description)


@dataclass(frozen=True, slots=True)
class Usage:
    """How much of its time budget a method has used, and when the oldest minute is forgotten."""

    operating_s: float
    reset_at: int


@dataclass(frozen=True, slots=True)
class Reply:
    """What a method answers: its result; for a list also the number of rows and where the next page begins.

    `total` None: not a list. `next` None: no further page.
    """

    result: object
    total: int | None = None
    next: int | None = None


def stamp(start: datetime, finish: datetime, *, zone: tzinfo, usage: Usage | None) -> dict[str, object]:
    """The `time` object. `usage` None leaves out the operating figures, as the outer call of a batch does."""
    spent_s = (finish - start).total_seconds()
    time: dict[str, object] = {
        "start": start.timestamp(),
        "finish": finish.timestamp(),
        "duration": spent_s,
        "processing": spent_s,
        "date_start": portal_time(start, zone),
        "date_finish": portal_time(finish, zone),
    }
    if usage is not None:
        time["operating_reset_at"] = usage.reset_at
        time["operating"] = usage.operating_s
    return time


def success(reply: Reply, time: dict[str, object]) -> dict[str, object]:
    """The whole JSON object of a good answer."""
    body: dict[str, object] = {"result": reply.result}
    if reply.next is not None:
        body["next"] = reply.next
    if reply.total is not None:
        body["total"] = reply.total
    return {**body, "time": time}


def portal_time(moment: datetime, zone: tzinfo) -> str:
    """ISO 8601 to the second in the portal's zone, the way the portal writes every time."""
    return moment.astimezone(zone).isoformat(timespec="seconds")
