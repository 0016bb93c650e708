"""The gate: twenty thousand worlds, and the promise that a seed replays."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from tests.simulation.__main__ import report
from tests.simulation.campaign import fingerprints, run_campaign

_SEEDS = 20_000


@pytest.mark.timeout(300)  # a minute on two idle cores; the promise is three
def test_nothing_is_lost_and_nothing_doubled_in_twenty_thousand_worlds() -> None:
    """Kills, freezes, lost answers, late commits, outages, full disks and odd clocks, alone and together."""
    tally = run_campaign(0, _SEEDS)
    assert not tally.failures, "\n".join(report(tally))
    assert tally.seeds == _SEEDS
    assert tally.faults > 5 * _SEEDS, "worlds without faults prove nothing"
    assert tally.deliveries > 5 * _SEEDS


def test_a_seed_replays_in_every_process() -> None:
    """Whoever reads of a violation must see the same one; also in a process that hashes words differently."""
    seeds = range(40)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as elsewhere:
        there = elsewhere.submit(fingerprints, seeds).result()
    assert fingerprints(seeds) == there
    assert len(set(there)) == len(seeds)
