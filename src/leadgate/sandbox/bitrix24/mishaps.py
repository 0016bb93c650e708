"""What each fault does to a request: whether the work is done, and what comes back.

Every function gets the exchange and a `Work`; `commit` runs the method for real. Which fault strikes is
decided in `faults.py`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus

from leadgate.sandbox.bitrix24.clock import SandboxClock
from leadgate.sandbox.bitrix24.envelope import RestError
from leadgate.sandbox.bitrix24.exchange import Exchange
from leadgate.sandbox.bitrix24.faults import FaultName, FaultPlan
from leadgate.sandbox.bitrix24.gateway import Answer, plan_has_no_rest, wrong_credentials
from leadgate.sandbox.bitrix24.limits import time_is_up, too_many_requests

_CHUNK_BYTES = 64 * 1024
_BAD_GATEWAY = (
    b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n"
    b"<body><center><h1>502 Bad Gateway</h1></center></body>\r\n</html>\r\n"
)


@dataclass(frozen=True, slots=True)
class Work:
    """The request that a fault struck: how to do it, how to do it later, how to refuse it."""

    plan: FaultPlan
    clock: SandboxClock
    commit: Callable[[], Answer]
    later: Callable[[float], None]
    refuse: Callable[[RestError], Answer]


Mishap = Callable[[Exchange, Work], Awaitable[None]]


async def drop_answer(exchange: Exchange, work: Work) -> None:
    """Does the work, then cuts the connection."""
    work.commit()
    await exchange.cut()


async def commit_late(exchange: Exchange, work: Work) -> None:
    """Cuts the connection now and does the work `delay_s` later."""
    work.later(work.plan.delay_s)
    await exchange.cut()


async def fail(exchange: Exchange, work: Work) -> None:
    """500 without doing the work."""
    await _send(exchange, work.refuse(_server_error()))


async def fail_after(exchange: Exchange, work: Work) -> None:
    """Does the work, then answers 500."""
    work.commit()
    await _send(exchange, work.refuse(_server_error()))


async def refuse_rate(exchange: Exchange, work: Work) -> None:
    """503 QUERY_LIMIT_EXCEEDED without doing the work."""
    await _send(exchange, work.refuse(too_many_requests()))


async def refuse_time(exchange: Exchange, work: Work) -> None:
    """429 OPERATION_TIME_LIMIT without doing the work."""
    await _send(exchange, work.refuse(time_is_up()))


async def answer_html(exchange: Exchange, _: Work) -> None:
    """502 with a page of a proxy, without doing the work."""
    await exchange.answer(HTTPStatus.BAD_GATEWAY, _BAD_GATEWAY, kind="text/html")


async def be_down(exchange: Exchange, _: Work) -> None:
    """Cuts the connection without doing the work."""
    await exchange.cut()


async def be_slow(exchange: Exchange, work: Work) -> None:
    """Waits `delay_s`, then does the work and answers as usual."""
    await work.clock.sleep(work.plan.delay_s)
    await _send(exchange, work.commit())


async def be_revoked(exchange: Exchange, work: Work) -> None:
    """401 as after the webhook was deleted."""
    await _send(exchange, work.refuse(wrong_credentials("NO_AUTH_FOUND")))


async def be_unpaid(exchange: Exchange, work: Work) -> None:
    """403 as after the plan ran out."""
    await _send(exchange, work.refuse(plan_has_no_rest()))


async def be_moved(exchange: Exchange, work: Work) -> None:
    """302 to the same path at another host, without doing the work."""
    query = f"?{exchange.query}" if exchange.query else ""
    await exchange.redirect(HTTPStatus.FOUND, f"https://{work.plan.host}{exchange.path}{query}")


async def answer_hugely(exchange: Exchange, work: Work) -> None:
    """Does the work and buries the answer: a valid beginning, then `size_mb` MiB of blanks and no end."""
    work.commit()
    chunks = work.plan.size_mb * 1024 * 1024 // _CHUNK_BYTES
    await exchange.stream(HTTPStatus.OK, _blanks(chunks), kind="application/json; charset=utf-8")


async def confuse_types(exchange: Exchange, work: Work) -> None:
    """Does the work and answers with the wrong types: numbers as text, objects as lists, lists as objects."""
    answer = work.commit()
    body = dict(answer.body)
    if "result" in body:
        body["result"] = _confused(body["result"])
    await exchange.answer_json(answer.status, body)


MISHAPS: Mapping[FaultName, Mishap] = {
    FaultName.DROP_ANSWER: drop_answer,
    FaultName.LATE_COMMIT: commit_late,
    FaultName.ERROR_500: fail,
    FaultName.ERROR_500_AFTER: fail_after,
    FaultName.LIMIT_503: refuse_rate,
    FaultName.OPERATION_429: refuse_time,
    FaultName.HTML_502: answer_html,
    FaultName.DOWN: be_down,
    FaultName.SLOW: be_slow,
    FaultName.REVOKED: be_revoked,
    FaultName.EXPIRED_PLAN: be_unpaid,
    FaultName.MOVED: be_moved,
    FaultName.HUGE: answer_hugely,
    FaultName.WRONG_TYPES: confuse_types,
}


async def _send(exchange: Exchange, answer: Answer) -> None:
    await exchange.answer_json(answer.status, answer.body)


def _server_error() -> RestError:
    return RestError(HTTPStatus.INTERNAL_SERVER_ERROR, "INTERNAL_SERVER_ERROR", "Internal server error")


async def _blanks(chunks: int) -> AsyncIterator[bytes]:
    yield b'{"result":'
    for _ in range(chunks):
        yield b" " * _CHUNK_BYTES


def _confused(value: object) -> object:
    if isinstance(value, Mapping):
        return [_confused(item) for item in value.values()]
    if isinstance(value, list):
        return {str(index): _confused(item) for index, item in enumerate(value)}
    if isinstance(value, (bool, int, float)):
        return str(value)
    return [value]
