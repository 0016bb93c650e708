"""All attacks at once against one gateway, honest leads beside them, and what must hold afterwards."""

from __future__ import annotations

import asyncio
import json
import math
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.hostile.attacks import ATTACKS, HUNG_UP, Attack
from tests.hostile.salon import Salon, open_salon

SERVER_ERROR = 500
RSS_GROWTH_LIMIT_MIB = 200.0
"""Two mebibytes of buffers for each of a hundred hostile requests; four times as much would say that something is kept."""

_CRASHES = ("webhook.crashed", "page.failed", "library.failed")


@dataclass(slots=True)
class Report:
    """What came out.

    Attributes:
        statuses: how often each was answered, by attack.
        broken: rules that broke, in words; empty when all hold.
        honest_s: how long each honest lead took, in seconds.
        rss_mib: memory before, at its peak and at the end.
    """

    seed: int
    statuses: Mapping[str, Counter[int]] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    honest_s: list[float] = field(default_factory=list)
    rss_mib: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def told(self) -> list[str]:
        """For a person."""
        lines = [f"seed {self.seed}"]
        for name, statuses in self.statuses.items():
            shown = ", ".join(f"{status}: {count}" for status, count in sorted(statuses.items()))
            lines.append(f"{name:16} {sum(statuses.values()):6} answers  {shown}")
        lines.append(
            f"honest leads     {len(self.honest_s):6} taken    p50 {_quantile(self.honest_s, 0.5) * 1000:.0f} ms, "
            f"p99 {_quantile(self.honest_s, 0.99) * 1000:.0f} ms, longest {max(self.honest_s, default=0) * 1000:.0f} ms"
        )
        before, peak, after = self.rss_mib
        lines.append(
            f"memory           {before:.0f} MiB before, {peak:.0f} MiB at the peak, {after:.0f} MiB at the end"
        )
        return [*lines, *(f"BROKEN: {one}" for one in self.broken)]


async def run(folder: Path, *, count: int, seed: int) -> Report:
    """Attack a fresh house.

    Args:
        folder: for the house's data.
        count: of requests of each attack; costly ones do fewer.
        seed: the same seed sends the same.
    """
    async with open_salon(folder) as salon:
        report = Report(seed)
        await _prove_that_genuine_ones_pass(salon)
        before, samples, done = salon.rss_mib(), [0.0], asyncio.Event()
        honest = asyncio.create_task(_be_honest(salon, report, done))
        watch = asyncio.create_task(_watch_memory(salon, samples, done))
        report.statuses = {attack.name: Counter() for attack in ATTACKS}
        try:
            await asyncio.gather(*(_attack(attack, salon, report, count) for attack in ATTACKS))
        finally:
            done.set()
            await asyncio.gather(honest, watch)
        report.rss_mib = (before, max(samples), salon.rss_mib())
        await _judge(salon, report)
        return report


async def _attack(attack: Attack, salon: Salon, report: Report, count: int) -> None:
    random = Random(f"{report.seed}:{attack.name}")  # noqa: S311 - no secret is made here
    async for status in attack.run(salon, random, max(1, int(count * attack.share))):
        report.statuses[attack.name][status] += 1


async def _prove_that_genuine_ones_pass(salon: Salon) -> None:
    """Else every refusal of a forgery would prove nothing."""
    for kind, messenger in salon.messengers.items():
        content, headers, query = messenger.posted("Здравствуйте", 1, salon.secrets[kind])
        url = salon.gateway.url + salon.paths[kind]
        answer = await salon.client.post(url, content=content, headers=headers, params=query)
        assert answer.is_success, (kind, answer.text)
        salon.took(kind)


async def _be_honest(salon: Salon, report: Report, done: asyncio.Event) -> None:
    """Honest leads from a process of their own until the attack is over."""
    sender = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.hostile.honest",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=2**24,
    )
    assert sender.stdin is not None
    sender.stdin.write(json.dumps({"url": salon.bot.url, "secret": salon.bot.secret}).encode() + b"\n")
    await done.wait()
    sender.stdin.close()
    out, _ = await sender.communicate()
    met = json.loads(out)
    report.honest_s = met["took_s"]
    report.broken += [f"an honest lead met {one}" for one in met["wrong"]]
    for _ in range(len(met["took_s"]) - len(met["wrong"])):
        salon.took("bot")


async def _watch_memory(salon: Salon, samples: list[float], done: asyncio.Event) -> None:
    while not done.is_set():
        samples.append(salon.rss_mib())
        try:
            async with asyncio.timeout(0.1):
                await done.wait()
        except TimeoutError:
            continue


async def _judge(salon: Salon, report: Report) -> None:
    broken = report.broken
    for attack in ATTACKS:
        answered = report.statuses[attack.name]
        broken += [
            f"{attack.name}: {status} was answered {answered[status]} times"
            for status in sorted(answered)
            if status not in attack.may | {HUNG_UP}
        ]
    counts = await salon.metrics()
    for kind in salon.paths:
        told = counts.get(f'leadgate_webhooks_total{{kind="{kind}",outcome="accepted"}}', 0.0)
        if told != salon.accepted.get(kind, 0):
            broken.append(f"{kind}: the house took {told:.0f}, of which {salon.accepted.get(kind, 0)} were genuine")
    broken += [f"{name} is {value:.0f}" for name, value in counts.items() if "crashes_total" in name and value]
    running = salon.gateway.running
    assert running is not None
    if running.has_ended:
        broken.append("the gateway has ended")
    broken += [f"the log says {event}: {lines[0]}" for event in _CRASHES if (lines := running.log(event))]
    before, peak, _ = report.rss_mib
    if peak - before > RSS_GROWTH_LIMIT_MIB:
        broken.append(f"memory grew by {peak - before:.0f} MiB")


def _quantile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, math.ceil(len(values) * share) - 1)] if values else 0.0
