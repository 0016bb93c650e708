"""Runs many seeds, on every core."""

import gc
import os
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from multiprocessing import get_context

from tests.simulation.bugs import BUGS
from tests.simulation.simulation import Result, run_seed, simulated

_CHUNK = 250


@dataclass(slots=True)
class Tally:
    """What came of many seeds.

    Attributes:
        failures: first violation by seed.
        faults: faults that happened, all seeds together; deliveries likewise.
    """

    seeds: int = 0
    deliveries: int = 0
    faults: int = 0
    turns: int = 0
    seconds: float = 0.0
    failures: dict[int, str] = field(default_factory=dict)

    def add(self, result: Result) -> None:
        """Count a seed."""
        self.seeds += 1
        self.deliveries += result.deliveries
        self.faults += result.faults
        self.turns += result.turns
        if result.violations:
            self.failures[result.seed] = result.violations[0]


def run_campaign(first: int, count: int, *, bug: str | None = None, processes: int | None = None) -> Tally:
    """Run seeds `first` to `first + count - 1`, with a planted bug if one is named."""
    started_s = time.monotonic()
    chunks = [(start, min(_CHUNK, first + count - start), bug) for start in range(first, first + count, _CHUNK)]
    tally = Tally()
    with ProcessPoolExecutor(processes or os.cpu_count(), mp_context=get_context("spawn")) as pool:
        for results in pool.map(_run_chunk, chunks):
            for result in results:
                tally.add(result)
    tally.seconds = time.monotonic() - started_s
    return tally


def find_first(bug: str, seeds: Iterable[int]) -> Result | None:
    """The first of these seeds in which the simulation sees the planted bug."""
    with simulated(), planted(bug):
        return next((result for result in map(run_seed, seeds) if result.violations), None)


def fingerprints(seeds: Iterable[int]) -> list[str]:
    """What happened in these seeds, one word for each."""
    with simulated():
        return [run_seed(seed, is_traced=True).fingerprint for seed in seeds]


def planted(bug: str | None) -> AbstractContextManager[object]:
    """The core with the bug of this name; as it is for None.

    Raises:
        StopIteration: there is no such bug.
    """
    return nullcontext() if bug is None else next(known for known in BUGS if known.name == bug).plant()


def _run_chunk(chunk: tuple[int, int, str | None]) -> list[Result]:
    return list(_run(*chunk))


def _run(first: int, count: int, bug: str | None) -> Iterator[Result]:
    gc.disable()  # a world is small and full of cycles: swept once in a while, not all the time
    try:
        with simulated(), planted(bug):
            for seed in range(first, first + count):
                yield run_seed(seed)
                if seed % 25 == 0:
                    gc.collect()
    finally:
        gc.enable()
