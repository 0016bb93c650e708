"""An orderly end: SIGTERM is what every restart, update and reboot sends."""

from __future__ import annotations

import asyncio
import signal
import time
from pathlib import Path

import httpx
import pytest

from leadgate.testing.waiting import until
from tests.e2e.conftest import Prepared, Salon
from tests.e2e.sender import lead
from tests.e2e.visitor import Visitor

LIMIT_S = 10.0


async def test_sigterm_ends_within_ten_seconds_although_the_crm_hangs_and_clients_wait(
    salon: Salon, prepared: Prepared
) -> None:
    """A supervisor kills what does not end; so hanging partners must not hold us, and what was in hand must not be lost."""
    gateway, portal, sender = salon.gateway, salon.portal, salon.bot
    portal.sandbox.faults.add("slow", delay_s=60, method="crm.item.add", count=1)
    await sender.accept(lead(301))
    await until(lambda: portal.sandbox.portal.counters.faults["slow"], what="a call that hangs")
    visitor = Visitor(sender.client, gateway.url, prepared.site["connection"])
    await visitor.enter()
    poll = asyncio.create_task(visitor.read(wait_s=25))
    host, port = gateway.url.removeprefix("http://").split(":")
    _, half_sent = await asyncio.open_connection(host, int(port))
    half_sent.write(
        f"POST {prepared.bot['webhook_path']} HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n{{".encode()
    )
    await half_sent.drain()

    started_s = time.monotonic()
    code = await gateway.stop()
    took_s = time.monotonic() - started_s
    half_sent.close()
    assert (code, took_s < LIMIT_S) == (0, True), (code, took_s, gateway.printed()[-1500:])
    assert await poll == []
    with pytest.raises(httpx.TransportError):
        await sender.post(lead(302))

    await salon.restart()
    (only,) = await portal.having(1, timeout_s=40)
    await salon.idle()
    assert portal.leads() == [{**only, "timeline": portal.leads()[0]["timeline"]}]
    assert len(portal.leads()[0]["timeline"]) == 1


async def test_an_end_in_calm_is_quick_and_both_signals_mean_it(salon: Salon) -> None:
    """Whoever stops the gateway by hand should not wait; Ctrl-C is no error."""
    await salon.bot.accept(lead(303))
    await salon.portal.with_entry("Хочу на маникюр")
    started_s = time.monotonic()
    assert await salon.gateway.stop() == 0
    assert time.monotonic() - started_s < 5
    running = await salon.gateway.start()
    assert await running.end(signal.SIGINT) == 0
    assert running.log("gateway.stopped")
    assert not any("Traceback" in line for line in running.err)


async def test_a_taken_port_and_a_missing_house_are_said_in_one_sentence(salon: Salon, tmp_path: Path) -> None:
    """The two mistakes of a first start; neither may end in a traceback."""
    taken = await salon.gateway.command("run", "--listen", salon.gateway.url.removeprefix("http://"))
    assert taken.code == 2
    assert "--listen" in taken.err
    missing = await salon.gateway.command("run", "--data", str(tmp_path / "nothing"))
    assert missing.code == 2
    assert "leadgate init" in missing.err
    for said in (taken.err, missing.err):
        assert said.count("\n") == 1
        assert "Traceback" not in said
