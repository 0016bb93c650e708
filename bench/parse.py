"""How fast the receivers read: each channel's own bodies, against bare decoding of the same JSON in the same run."""

from __future__ import annotations

import time
from collections.abc import Callable

from bench.report import Figure
from leadgate.intake.untrusted import decode_json
from leadgate.model.webhooks import VerifiedWebhook
from tests.fuzz.seeds import Target, find_target, fuzzed_kinds


def measure_parsing(*, rounds: int, round_s: float) -> list[Figure]:
    """Three figures for each channel.

    Args:
        rounds: reading and decoding take turns, so that a neighbour on the machine slows both; the quickest round counts.
        round_s: length of a turn.
    """
    return [figure for kind in fuzzed_kinds() for figure in _measure(find_target(kind), rounds, round_s)]


def _measure(target: Target, rounds: int, round_s: float) -> list[Figure]:
    webhooks = [VerifiedWebhook("key", None, body) for body in target.seeds if _is_json(body)]
    events = sum(len(target.receiver.parse(webhook, target.connection)) for webhook in webhooks)

    def decode() -> None:
        for webhook in webhooks:
            decode_json(webhook.body)

    def parse() -> None:
        for webhook in webhooks:
            target.receiver.parse(webhook, target.connection)

    decoding_s, parsing_s = float("inf"), float("inf")
    for _ in range(rounds):
        decoding_s = min(decoding_s, _mean_s(decode, round_s))
        parsing_s = min(parsing_s, _mean_s(parse, round_s))
    name = f"parse: {target.kind}"
    return [
        Figure(f"{name}: events a second", events / parsing_s, ""),
        Figure(f"{name}: share of bare decoding", decoding_s / parsing_s, ""),
        Figure(f"{name}: bodies in the mix", len(webhooks), ""),
    ]


def _mean_s(work: Callable[[], None], round_s: float) -> float:
    count, started_s = 0, time.perf_counter()
    while (took_s := time.perf_counter() - started_s) < round_s or not count:
        work()
        count += 1
    return took_s / count


def _is_json(body: bytes) -> bool:
    try:
        decode_json(body)
    except ValueError:
        return False
    return True
