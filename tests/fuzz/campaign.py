"""Many bodies against one receiver until the time is over or a rule breaks. Each body follows from seed, kind and number alone."""

import itertools
import time
import traceback
from dataclasses import dataclass
from random import Random

from tests.fuzz.mutations import mutated
from tests.fuzz.rules import hold
from tests.fuzz.seeds import Target


@dataclass(frozen=True, slots=True)
class Broken:
    """A body that broke a rule."""

    kind: str
    seed: int
    number: int
    body: bytes
    trace: str

    def told(self) -> str:
        """For a person: how to see it again, the body, and where it broke."""
        again = f"python -m tests.fuzz --kind {self.kind} --seed {self.seed} --number {self.number}"
        return f"{again}\n{self.body[:2000]!r}\n{self.trace}"


def run(target: Target, *, seed: int, seconds: float = 0, cases: int | None = None) -> tuple[int, Broken | None]:
    """Fire bodies; returns how many, and the first that broke a rule.

    Args:
        target: under fire.
        seed: the same seed gives the same bodies in the same order.
        seconds: how long; not used when `cases` says how many.
        cases: how many bodies.
    """
    until_s = time.monotonic() + seconds
    for number in itertools.count():
        if number >= cases if cases is not None else time.monotonic() >= until_s:
            return number, None
        broken = try_one(target, seed=seed, number=number)
        if broken is not None:
            return number + 1, broken
    raise AssertionError("counting has no end")


def try_one(target: Target, *, seed: int, number: int) -> Broken | None:
    """One body; None when it keeps every rule."""
    random = Random(f"{seed}:{target.kind}:{number}")  # noqa: S311 - no secret is made here
    body = mutated(random, target.seeds)
    try:
        hold(target, body, random)
    except Exception:  # noqa: BLE001 - whatever escapes is what is looked for
        return Broken(target.kind, seed, number, body, traceback.format_exc(limit=-4))
    return None
