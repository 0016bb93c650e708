"""How the cost of a text grows with its length, within one run: what is linear stays so on any machine and under any load."""

import time
from collections.abc import Callable

LONG, TIMES_LONGER = 100_000, 8
MOST_GROWTH = 3 * TIMES_LONGER
"""Linear work grows eightfold, quadratic work sixty-fourfold."""

_NOTHING_S = 0.002
"""What a call costs whatever its text, and what a busy machine adds."""


def growth(work: Callable[[str], object], seed: str) -> float:
    """Cost of 100,000 characters of this seed over that of an eighth of them, each the best of three."""
    text = (seed * (LONG // len(seed) + 1))[:LONG]
    return (_best_s(work, text) + _NOTHING_S) / (_best_s(work, text[: LONG // TIMES_LONGER]) + _NOTHING_S)


def _best_s(work: Callable[[str], object], text: str) -> float:
    best_s = float("inf")
    for _ in range(3):
        started_s = time.thread_time()
        work(text)
        best_s = min(best_s, time.thread_time() - started_s)
    return best_s
