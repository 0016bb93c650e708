"""Durable intake against the bare application: rounds in turn (ABAB), medians; before them the latency at a calm pace."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median

from bench.house import House, Server, run_gateway, run_server
from bench.load import Round, pace, press, together
from bench.report import Figure
from bench.webhooks import leads, updates

Make = Callable[[House, int], list[bytes]]
_KINDS: dict[str, Make] = {"signed leads": leads, "Telegram updates": updates}
_BARE_PER_ROUND = 2  # the bare application is that much quicker, so its rounds last as long


def measure_intake(
    houses: Mapping[str, House], folder: Path, *, requests: int, rounds: int, calm_s: int
) -> list[Figure]:
    """Rounds of `requests` webhooks each, for a gateway that only receives and for one that works meanwhile."""
    figures: list[Figure] = []
    command = (sys.executable, "-m", "bench.bare")
    with run_server(command, announced_by="bare.ready", log=folder / "bare.log") as bare:
        for role, house in houses.items():
            with run_gateway(house, role=role) as gateway:
                asyncio.run(press(gateway.address, leads(house, 20)))
                figures += _calm_figures(f"role {role}", gateway, house, calm_s)
                for name, make in _KINDS.items():
                    pairs = [_compare(bare, gateway, house, make, requests) for _ in range(rounds)]
                    figures += _figures(f"role {role}: {name}", pairs)
                figures.append(Figure(f"role {role}: resident memory", gateway.resident_mb(), "MB", at_most=200))
    return figures


def _compare(bare: Server, gateway: Server, house: House, make: Make, requests: int) -> tuple[Round, Round]:
    with gateway.held():
        theirs = asyncio.run(press(bare.address, make(house, _BARE_PER_ROUND * requests)))
    return theirs, asyncio.run(press(gateway.address, make(house, requests)))


def _figures(name: str, pairs: list[tuple[Round, Round]]) -> list[Figure]:
    ours = together([gateway for _, gateway in pairs])
    return [
        Figure(f"{name}: bare application", median(bare.per_second for bare, _ in pairs), "/s"),
        Figure(f"{name}: gateway", median(gateway.per_second for _, gateway in pairs), "/s"),
        Figure(f"{name}: share of bare", median(g.per_second / b.per_second for b, g in pairs), "", at_least=0.35),
        Figure(f"{name}: p50", ours.quantile_ms(0.5), "ms"),
        Figure(f"{name}: p99", ours.quantile_ms(0.99), "ms", at_most=50),
        Figure(f"{name}: refused", ours.refused, "", at_most=0),
    ]


def _calm_figures(name: str, gateway: Server, house: House, seconds: int) -> list[Figure]:
    requests = [request for make in _KINDS.values() for request in make(house, 25 * seconds)]
    calm = asyncio.run(pace(gateway.address, requests, per_second=50))
    return [
        Figure(f"{name}: p50 at 50/s", calm.quantile_ms(0.5), "ms"),
        Figure(f"{name}: p99 at 50/s", calm.quantile_ms(0.99), "ms", at_most=20),
    ]
