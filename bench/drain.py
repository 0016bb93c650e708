"""After an outage of the CRM: does the queue drain at the portal's own limit, and does a client who writes now wait behind it?

The sandbox has the limits of the cloud: 2 requests a second in the long run, 50 at once after a rest, 50 commands a request. A new
lead with a phone costs four commands (search for its contact; contact, lead, first entry), so the limit allows
(50 + 2 t) * 50 / 4 leads in t seconds, and 25 a second once the bucket is full. The portal's second limit is its own working
time per method, 480 s in ten minutes. A new lead is two calls of `crm.item.add` of 0.2 s each, so it allows 1,200 leads in ten
minutes. A backlog of less shows the first limit alone; a larger one (`LEADS=2000 make bench-drain`) is bound by the second, takes
its time, and is judged by it: we stop at 430 s, nine tenths.
"""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from bench.house import House, Server, make_house, run_gateway
from bench.load import press
from bench.report import Figure
from bench.webhooks import leads
from leadgate.sandbox.bitrix24 import Sandbox, build_sandbox, serve
from leadgate.sandbox.bitrix24.limits import DEFAULT_COSTS_S

_BURST, _RATE_PER_S, _LEADS_PER_REQUEST = 50, 2.0, 50 / 4
_FRESH_EVERY_S = 4.0
_LOOK_EVERY_S = 0.02
_PATIENCE_S = 900
_METHOD, _CALLS_OF_A_LEAD, _CALL_S = "crm.item.add", 2, DEFAULT_COSTS_S["crm.item.add"]
_BUDGET_S, _WINDOW_S = 480.0, 600.0


@dataclass(slots=True)
class _Drain:
    """What was seen in the portal, in seconds since it answers again."""

    moments_s: list[float] = field(default_factory=list)
    asked_s: dict[str, float] = field(default_factory=dict)
    arrived_s: dict[str, float] = field(default_factory=dict)

    def waits_s(self) -> list[float]:
        """How long each lead waited that came while the backlog drained."""
        return [self.arrived_s[event] - asked for event, asked in self.asked_s.items()]


def measure_drain(folder: Path, *, backlog: int) -> list[Figure]:
    """`backlog` leads wait for a portal that is down; then it answers again."""
    return asyncio.run(_measure(folder, backlog))


async def _measure(folder: Path, backlog: int) -> list[Figure]:
    sandbox = build_sandbox()
    sandbox.faults.add("down")
    async with serve(sandbox, "127.0.0.1", 0) as base:
        house = await asyncio.to_thread(make_house, folder / "drain", crm_url=sandbox.webhook_url(base))
        with run_gateway(house) as gateway:
            await press(gateway.address, leads(house, backlog))
            await _worked_on(gateway)
            refused = sandbox.portal.counters.refused.total()
            sandbox.faults.clear()
            async with asyncio.timeout(_PATIENCE_S + backlog):
                drain = await _watch(sandbox, gateway, house, backlog)
    figures = _figures(drain, backlog, sandbox.portal.counters.refused.total() - refused)
    if len(drain.moments_s) * _CALLS_OF_A_LEAD * _CALL_S <= _BUDGET_S:
        return figures + _request_figures(drain, backlog)
    return figures + _time_figures(drain, backlog, fullest_s=sandbox.meter.longest_spent_s[_METHOD])


async def _worked_on(gateway: Server) -> None:
    """Wait until every event became a delivery."""
    async with httpx.AsyncClient() as client:
        while "leadgate_events_pending 0.0" not in (await client.get(f"http://{gateway.address}/metrics")).text:  # noqa: ASYNC110 - another process knows
            await asyncio.sleep(_LOOK_EVERY_S)


async def _watch(sandbox: Sandbox, gateway: Server, house: House, backlog: int) -> _Drain:
    drain, started = _Drain(), time.perf_counter()
    next_fresh_s = _FRESH_EVERY_S
    while len(drain.moments_s) < backlog + len(drain.asked_s):
        now_s = time.perf_counter() - started
        for lead in list(sandbox.portal.leads)[len(drain.moments_s) :]:
            drain.moments_s.append(now_s)
            drain.arrived_s[str(lead.values["originId"]).rpartition(":")[2]] = now_s
        if drain.moments_s and now_s >= next_fresh_s and len(drain.moments_s) < backlog:
            drain.asked_s[await _send(gateway.address, leads(house, 1)[0])] = now_s
            next_fresh_s = now_s + _FRESH_EVERY_S
        await asyncio.sleep(_LOOK_EVERY_S)
    return drain


async def _send(address: str, request: bytes) -> str:
    """Post one lead; the id of its event."""
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0])
    answer = json.loads(await reader.readexactly(length))
    writer.close()
    return str(answer["event"])


def _figures(drain: _Drain, backlog: int, refused: int) -> list[Figure]:
    first_s, last_s, waits = drain.moments_s[0], drain.moments_s[-1], drain.waits_s()
    name = f"drain of {backlog} leads"
    return [
        Figure(f"{name}: portal answers again to first lead", first_s, "s", at_most=30),
        Figure(f"{name}: first lead to last", last_s - first_s, "s"),
        Figure(f"{name}: requests refused", refused, "", at_most=0),
        Figure(f"{name}: fresh leads meanwhile", len(waits), ""),
        Figure(f"{name}: fresh lead, longest wait", max(waits, default=0.0), "s", at_most=10),
    ]


def _request_figures(drain: _Drain, backlog: int) -> list[Figure]:
    """Against the limit of requests."""
    first_s, last_s, count = drain.moments_s[0], drain.moments_s[-1], len(drain.moments_s)
    allowed = (_BURST + _RATE_PER_S * (last_s - first_s)) * _LEADS_PER_REQUEST
    middle = count // 2
    rate = (count - 1 - middle) / max(last_s - drain.moments_s[middle], _LOOK_EVERY_S)
    name = f"drain of {backlog} leads"
    return [
        Figure(f"{name}: second half, leads a second", rate, "/s"),
        Figure(f"{name}: second half, share of the limit", rate / (_RATE_PER_S * _LEADS_PER_REQUEST), "", at_least=0.8),
        Figure(f"{name}: all, share of the limit with its burst", count / allowed, ""),
    ]


def _time_figures(drain: _Drain, backlog: int, *, fullest_s: float) -> list[Figure]:
    """Against the limit of working time: the fullest ten minutes as the portal counted, and all of it with what is free at first.

    The portal sums whole minutes of the clock, this one and the nine before (bitrix24 fact sheet, section 3); an interval of
    600 s that begins within a minute may hold more.
    """
    first_s, last_s, count = drain.moments_s[0], drain.moments_s[-1], len(drain.moments_s)
    lead_s = _CALLS_OF_A_LEAD * _CALL_S
    name = f"drain of {backlog} leads: {_METHOD}"
    return [
        Figure(f"{name}, most work in ten minutes", fullest_s, "s", at_most=_BUDGET_S),
        Figure(f"{name}, share of 480 s in the fullest ten minutes", fullest_s / _BUDGET_S, "", at_least=0.8),
        Figure(f"{name}, work a second on average", count * lead_s / (last_s - first_s), "s"),
        Figure(
            f"{name}, share of 0.8 s a second",
            count * lead_s / (last_s - first_s) / (_BUDGET_S / _WINDOW_S),
            "",
            at_least=0.8,
        ),
    ]
